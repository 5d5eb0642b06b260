"""Assembles the Lua scripts of `state/lua/` from their includes.

A file of `state/lua/includes/` holds one function with the file's name. At the top it lists its own includes, in lines
such as `-- include: clock, text`; a script does the same. Each include is put into a script once, before the first that
uses it. The include `constants` is generated from `state/lua_constants.py`.
"""

import re
from collections.abc import Callable
from importlib.resources import files

from state.lua_constants import CONSTANTS, lua_of

_INCLUDES = re.compile(r"^-- include: (.+)$", re.MULTILINE)
CONSTANTS_INCLUDE = "constants"
Read = Callable[[str], str]


class IncludeError(ValueError):
    """Includes that don't exist or include each other. The message names the whole chain."""


def read(name: str) -> str:
    """Return the text of a script or an include.

    Raises:
        FileNotFoundError: There is neither.
    """
    folder = files("state") / "lua"
    include = folder / "includes" / f"{name}.lua"
    return (include if include.is_file() else folder / f"{name}.lua").read_text(encoding="utf-8")


def includes_of(text: str) -> list[str]:
    """Return the names of the includes that a script or an include lists."""
    return [name for names in _INCLUDES.findall(text) for name in names.split(", ")]


def assembled(name: str, read: Read = read) -> str:
    """Return the source that is sent to the server: a script with its includes, without comments.

    Raises:
        IncludeError: An include doesn't exist, or includes itself through others.
    """
    found: dict[str, str] = {}
    _collect((name,), read, found)
    first, *rest = _code(found.pop(name))
    lines = [line for text in found.values() for line in _code(text)] + rest
    used = set(re.findall(r"\w+", "\n".join(lines)))
    constants = lua_of([constant for constant in CONSTANTS if constant in used])
    return "\n".join([first, *([constants] if constants else []), *lines]) + "\n"


def _collect(chain: tuple[str, ...], read: Read, found: dict[str, str]) -> None:
    """Add the last of a chain to the texts found, after all its own includes."""
    *above, name = chain
    if name in above:
        raise IncludeError(f"{' → '.join(chain)}: {name} includes itself")
    if name in found or name == CONSTANTS_INCLUDE:
        return
    try:
        text = read(name)
    except FileNotFoundError as exc:
        raise IncludeError(f"{' → '.join(chain)}: there is no include {name}") from exc
    for include in includes_of(text):
        _collect((*chain, include), read, found)
    found[name] = text


def _code(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("--")]
