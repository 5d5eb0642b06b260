"""Modules have at most 250 lines, functions 40 and Lua scripts 200.

`sizes.toml` lists the longer ones, which can only shrink. A script is measured as it is sent: with its includes,
without comments.
"""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from state.lua_loader import assembled

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "detectors", "state", "storefronts", "tasks", "tests", "thresholds", "winback", "worker")
MOST = {"modules": 250, "functions": 40, "scripts": 200}
LISTED: dict[str, dict[str, int]] = tomllib.loads((Path(__file__).parent / "sizes.toml").read_text(encoding="utf-8"))


def sizes() -> Iterator[tuple[str, str, int]]:
    """Yield every module, function and script: its kind, its name and its lines, with signature and docstring."""
    for script in sorted((ROOT / "state" / "lua").glob("*.lua")):
        yield "scripts", script.relative_to(ROOT).as_posix(), len(assembled(script.stem).splitlines())
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        yield "modules", name, len(text.splitlines())
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                yield "functions", f"{name}:{node.name}", node.end_lineno - node.lineno + 1


@cache
def too_long() -> dict[str, dict[str, int]]:
    """Return what has too many lines, by kind: names and lines."""
    found = [*sizes()]
    return {kind: {name: lines for each, name, lines in found if each == kind and lines > MOST[kind]} for kind in MOST}


@pytest.mark.parametrize("kind", MOST)
def test_only_listed_code_is_too_long_and_it_does_not_grow(kind: str) -> None:
    """To fix: split it. Each name is followed by its lines and the limit."""
    grown = {
        name: (lines, LISTED[kind].get(name, MOST[kind]))
        for name, lines in too_long()[kind].items()
        if lines > LISTED[kind].get(name, MOST[kind])
    }
    assert grown == {}


@pytest.mark.parametrize("kind", MOST)
def test_code_that_is_short_enough_is_not_listed(kind: str) -> None:
    """To fix: remove it from the list."""
    assert sorted(LISTED[kind].keys() - too_long()[kind].keys()) == []
