"""The declarations of the scripts: one for each, with the script's own names of the arguments."""

import inspect
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from state import calls
from state.script import Script
from tests.mutants.lua_guards import LUA

SCRIPTS = sorted(LUA.glob("*.lua"))
MODULES = [import_module(f"state.calls.{path.stem}") for path in Path(calls.__path__[0]).glob("[!_]*.py")]
DECLARED = [found for module in MODULES for found in vars(module).values() if isinstance(found, Script)]
BY_NAME = {found.name: found for found in DECLARED}
_LOCALS = re.compile(r"^local ([\w, ]+) =\s+(.+)$", re.MULTILINE)
_ARGUMENT = re.compile(r"(?:[\w.]+\()?ARGV\[(\d+)\]\)?")


def argument_names(text: str) -> list[str]:
    """Return a script's names of its arguments, in order."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    found: dict[int, str] = {}
    for names, values in _LOCALS.findall(code):
        for name, value in zip(names.split(", "), re.split(r", (?![^(]*\))", values), strict=False):
            if match := _ARGUMENT.fullmatch(value):
                found[int(match[1])] = name
    return [found[number] for number in sorted(found)]


def test_each_script_is_declared_once() -> None:
    assert Counter(found.name for found in DECLARED) == Counter(path.stem for path in SCRIPTS)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_parameters_have_the_names_of_the_script(path: Path) -> None:
    parameters = inspect.signature(BY_NAME[path.stem].arguments).parameters.values()
    # A loop reads variable arguments.
    names = [one.name for one in parameters if one.kind is not one.VAR_POSITIONAL and "Iterable" not in str(one)]
    known = argument_names(path.read_text(encoding="utf-8"))
    assert [name.rstrip("_") for name in names] == known[: len(names)]
    assert len(names) == len(known) or len(names) < len(parameters)
