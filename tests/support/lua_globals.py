"""Finds undeclared names in Lua code from its bytecode, as `luac -l` would list them."""

import struct
from typing import Any

from lupa import lua51

GIVEN = frozenset(
    "ARGV KEYS cjson ipairs math pairs redis string table tonumber tostring type unpack".split()  # noqa: SIM905 - shorter
)
"""The server's names for scripts, as far as they are used."""
_GETGLOBAL, _SETGLOBAL = 5, 7
_NIL, _BOOLEAN, _NUMBER, _STRING = 0, 1, 3, 4


def globals_of(text: str) -> set[str]:
    """Return the names that a script doesn't declare, without those that every script gets.

    Raises:
        SyntaxError: The text isn't Lua 5.1.
    """
    lua = lua51.LuaRuntime(encoding=None)
    compiled: Any = lua.eval(b"function(text) local f, why = loadstring(text); return f and string.dump(f), why end")
    dumped, why = compiled(text.encode()), None
    if isinstance(dumped, tuple):
        dumped, why = dumped
    if dumped is None:
        raise SyntaxError(why)
    return _Reader(dumped).globals() - GIVEN


class _Reader:
    """Reads a dump of Lua 5.1: a header of twelve bytes with the widths of numbers, then nested functions."""

    def __init__(self, dumped: bytes) -> None:
        self._dumped, self._at = dumped, 12
        self._int, self._size = (f"<{'I' if dumped[at] == 4 else 'Q'}" for at in (7, 8))

    def globals(self) -> set[str]:
        self._text()
        self._skip(2 * struct.calcsize(self._int) + 4)
        code = [self._number("<I") for _ in range(self._number(self._int))]
        constants = [self._constant() for _ in range(self._number(self._int))]
        found = {str(constants[one >> 14]) for one in code if one & 0x3F in {_GETGLOBAL, _SETGLOBAL}}
        for _ in range(self._number(self._int)):
            found |= self.globals()
        self._skip(self._number(self._int) * struct.calcsize(self._int))
        for _ in range(self._number(self._int)):
            self._text()
            self._skip(2 * struct.calcsize(self._int))
        for _ in range(self._number(self._int)):
            self._text()
        return found

    def _constant(self) -> object:
        kind = self._number("<B")
        if kind == _STRING:
            return self._text()
        self._skip({_NIL: 0, _BOOLEAN: 1, _NUMBER: 8}[kind])
        return None

    def _text(self) -> str:
        size = self._number(self._size)
        self._at += size
        return self._dumped[self._at - size : max(self._at - 1, 0)].decode() if size else ""

    def _number(self, form: str) -> int:
        size = struct.calcsize(form)
        (found,) = struct.unpack_from(form, self._dumped, self._at)
        self._at += size
        return int(found)

    def _skip(self, size: int) -> None:
        self._at += size
