"""Assembly of scripts: each include once and in order, errors with the chain, and no unlisted names."""

from pathlib import Path

import pytest

from state import channels
from state.lua_constants import CONSTANTS, lua_of
from state.lua_loader import CONSTANTS_INCLUDE, IncludeError, assembled, includes_of, read
from tests.mutants.lua_guards import LUA
from tests.support.lua_globals import globals_of

FILES = sorted(LUA.rglob("*.lua"))
SCRIPTS = sorted(LUA.glob("*.lua"))
INCLUDES = sorted((LUA / "includes").glob("*.lua"))
MOST_LINES = 200
LONGER = {"apply": 479}
"""`apply` moves sessions and ends their outreaches in one step."""


def reader(texts: dict[str, str]) -> object:
    def read(name: str) -> str:
        if name not in texts:
            raise FileNotFoundError(name)
        return texts[name]

    return read


def test_include_is_put_in_once_before_its_users() -> None:
    texts = {
        "script": "#!lua\n-- Does it.\n-- include: b, c\nreturn b() + c()\n",
        "b": "-- include: a\nlocal function b() return a() end\n",
        "c": "-- include: a, constants\nlocal function c() return a() + DAY end\n",
        "a": "-- One.\nlocal function a() return 1 end\n",
    }
    assert assembled("script", reader(texts)).splitlines() == [  # type: ignore[arg-type]
        "#!lua",
        "local DAY = 86400000",
        "local function a() return 1 end",
        "local function b() return a() end",
        "local function c() return a() + DAY end",
        "return b() + c()",
    ]


def test_include_that_includes_itself_is_refused_with_the_chain() -> None:
    texts = {"script": "-- include: a", "a": "-- include: b", "b": "-- include: a"}
    with pytest.raises(IncludeError, match="script → a → b → a: a includes itself"):
        assembled("script", reader(texts))  # type: ignore[arg-type]


def test_unknown_include_is_refused_with_the_chain() -> None:
    with pytest.raises(IncludeError, match="script → a → other: there is no include other"):
        assembled("script", reader({"script": "-- include: a", "a": "-- include: other"}))  # type: ignore[arg-type]


def test_scripts_and_includes_have_different_names() -> None:
    assert not {path.stem for path in SCRIPTS} & {path.stem for path in INCLUDES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_lists_exactly_the_includes_it_uses(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = globals_of(text.partition("\n")[2] if text.startswith("#!") else text)
    listed = set(includes_of(text))
    if CONSTANTS_INCLUDE in listed:
        assert used & set(CONSTANTS), "it needs no constants"
        listed |= used & set(CONSTANTS)
    assert used == listed - {CONSTANTS_INCLUDE}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_lists_its_includes_at_the_top(path: Path) -> None:
    opening = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("-- guard")]
    code = next(number for number, line in enumerate(opening) if not line.startswith(("--", "#!")))
    assert not includes_of("\n".join(opening[code:]))
    assert all(len(line) <= 120 for line in opening)


@pytest.mark.parametrize("path", INCLUDES, ids=lambda path: path.stem)
def test_include_declares_what_it_is_named_after(path: Path) -> None:
    code = [line for line in read(path.stem).splitlines() if line.startswith("local ")]
    functions = [line for line in code if line.startswith("local function ")]
    assert [line.split("(")[0] for line in functions] in ([f"local function {path.stem}"], [])
    assert functions or code[0].startswith(f"local {path.stem} = ")
    assert path.stem in includes_of("\n".join(map(Path.read_text, FILES)))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_is_whole_and_not_too_long(path: Path) -> None:
    first, _, rest = assembled(path.stem).partition("\n")
    assert first.startswith("#!lua")
    assert not globals_of(rest)
    assert len(rest.splitlines()) < LONGER.get(path.stem, MOST_LINES)


def test_constants_are_written_as_lua() -> None:
    assert lua_of([]) == ""
    assert lua_of(["DAY", "MARK", "CHANNELS"]) == "local DAY, MARK, CHANNELS = 86400000, '+', {'call', 'whatsapp'}"
    assert CONSTANTS["CHANNELS"] == channels.CHANNELS
