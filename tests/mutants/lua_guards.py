"""Reads the guard marks in the Lua sources: the place of each guard, and the script without it.

A mark is a comment above the line that it guards:

    -- guard NAME                    without the whole line
    -- guard NAME: without TEXT      without this part of it
    -- guard NAME: TEXT => OTHER     with something else in its place

`tests/mutants/lua_noticed.py` names the tests that notice a missing guard.
`docs/explanation/protocol.md` lists the guards of the protocol with the script in which they are marked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LUA = Path(__file__).parents[2] / "state" / "lua"
_MARK = re.compile(r"-- guard (\w+)(?:: (?:without (?P<without>.+)|(?P<old>.+?) => (?P<new>.+)))?")


@dataclass(frozen=True, slots=True)
class Guard:
    """One mark: the file and line that it guards, and the replaced text."""

    name: str
    file: str
    line: int
    old: str
    new: str

    def left_out(self, text: str) -> str:
        """Return the text of the guard's file without the guard."""
        lines = text.split("\n")
        lines[self.line] = lines[self.line].replace(self.old, self.new)
        return "\n".join(lines)


@cache
def guards() -> dict[str, Guard]:
    """Return all guards by name.

    Raises:
        ValueError: A mark can't be read, its text isn't in the line below exactly once, or its name is taken.
    """
    found: dict[str, Guard] = {}
    for path in sorted(LUA.rglob("*.lua")):
        for guard in _marked(path):
            if guard.name in found:
                raise ValueError(f"{path.name}: guard {guard.name} is marked in {found[guard.name].file}, too")
            found[guard.name] = guard
    return found


def _marked(path: Path) -> Iterator[Guard]:
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines):
        if not line.strip().startswith("-- guard "):
            continue
        mark = _MARK.fullmatch(line.strip())
        if not mark:
            raise ValueError(f"{path.name}:{number + 1}: not a mark of a guard: {line.strip()}")
        old = mark["without"] or mark["old"] or ""
        guarded = 0 if old.startswith("#!") else _next_code(lines, number)
        old = old or lines[guarded].strip()
        if lines[guarded].count(old) != 1:
            raise ValueError(f"{path.name}:{number + 1}: guard {mark[1]}: not once in the line below: {old}")
        yield Guard(mark[1], path.stem, guarded, old, mark["new"] or "")


def _next_code(lines: list[str], number: int) -> int:
    return next(at for at in range(number, len(lines)) if not lines[at].strip().startswith("--"))
