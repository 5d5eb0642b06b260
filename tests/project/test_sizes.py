"""Modules have at most 250 lines and functions 40. `sizes.toml` lists those that are longer, and may only shrink."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "detectors", "state", "storefronts", "tasks", "tests", "winback", "worker")
MOST = {"modules": 250, "functions": 40}
LISTED: dict[str, dict[str, int]] = tomllib.loads((Path(__file__).parent / "sizes.toml").read_text(encoding="utf-8"))


def sizes() -> Iterator[tuple[str, str, int]]:
    """Every module and function: its kind, its name and how many lines it has, with signature and docstring."""
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        yield "modules", name, len(text.splitlines())
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                yield "functions", f"{name}:{node.name}", node.end_lineno - node.lineno + 1


@cache
def too_long() -> dict[str, dict[str, int]]:
    """Return the modules and functions that have more lines than they can have: of each kind, names and lines."""
    found = [*sizes()]
    return {kind: {name: lines for each, name, lines in found if each == kind and lines > MOST[kind]} for kind in MOST}


@pytest.mark.parametrize("kind", MOST)
def test_only_listed_code_is_too_long_and_it_does_not_grow(kind: str) -> None:
    """To fix: split it. Each name is followed by its lines and the most it can have."""
    grown = {
        name: (lines, LISTED[kind].get(name, MOST[kind]))
        for name, lines in too_long()[kind].items()
        if lines > LISTED[kind].get(name, MOST[kind])
    }
    assert grown == {}


@pytest.mark.parametrize("kind", MOST)
def test_code_that_is_short_enough_is_not_listed(kind: str) -> None:
    """To fix: take it off the list."""
    assert sorted(LISTED[kind].keys() - too_long()[kind].keys()) == []
