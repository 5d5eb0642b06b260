"""Each guard in the scripts is left out once, and its tests must then fail.

Guards are marked in the Lua sources, see tests/mutants/lua_guards.py; tests/mutants/lua_noticed.py names their tests.
"""

import inspect
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from state.connection import connect
from state.errors import StateError
from state.lua_loader import assembled, read
from state.scripts import Scripts, source
from tests.mutants.lua_guards import LUA, Guard, guards
from tests.mutants.lua_noticed import NOTICED, Noticed
from tests.mutants.lua_noticed_collectors import NOTICED_COLLECTORS
from tests.mutants.lua_noticed_experiments import NOTICED_EXPERIMENTS
from tests.mutants.lua_noticed_outcomes import NOTICED_OUTCOMES
from tests.mutants.lua_noticed_recording import NOTICED_RECORDING
from tests.mutants.lua_noticed_silences import NOTICED_SILENCES
from tests.support.cli_support import make_healthy
from tests.support.durations import HOUR_MS
from tests.support.filled_stream import fill
from tests.support.states import make_state
from tests.support.stored_state import now_ms
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

TESTS = Path(__file__).parents[1]
EVERY = NOTICED | NOTICED_COLLECTORS | NOTICED_EXPERIMENTS | NOTICED_OUTCOMES | NOTICED_RECORDING | NOTICED_SILENCES
MUTANTS = [(module, noticed) for module, all_noticed in EVERY.items() for noticed in all_noticed]
SCRIPTS = sorted(path.stem for path in LUA.glob("*.lua"))
# A mutant must be a script that runs. These errors show that it isn't one.
NO_SCRIPT = ("Error compiling", "nonexistent global", "attempt to call", "attempt to index")


class Mutated(Scripts):
    """The scripts without one guard: all that include it, or only a named one."""

    def __init__(self, client: Any, guard: Guard, script: str = "") -> None:  # noqa: ANN401 - a client
        super().__init__(client)
        self._guard, self._script = guard, script

    def text(self, name: str) -> str:
        is_mutated = self._script in {"", name} and self._guard.file in files_of(name)
        return assembled(name, self._read) if is_mutated else super().text(name)

    def _read(self, name: str) -> str:
        return self._guard.left_out(text_of(name)) if name == self._guard.file else text_of(name)


@cache
def text_of(name: str) -> str:
    """Return the text of a script or an include. It is read once for hundreds of mutants."""
    return read(name)


@cache
def files_of(script: str) -> frozenset[str]:
    """Return the names of the files of an assembled script."""
    found: set[str] = set()

    def noted(name: str) -> str:
        found.add(name)
        return text_of(name)

    assembled(script, noted)
    return frozenset(found)


@pytest.fixture
def client(valkey: EmbeddedValkey) -> Iterator[Any]:
    """An empty server that allows keys without a TTL, because a mutant can leave some."""
    with closing(connect(valkey.url)) as found:
        yield found
        found.flushall()


def mutated(client: Any, name: str) -> Scripts:  # noqa: ANN401 - a client
    """Return the scripts without a guard: `guard`, or `script/guard` for that script only."""
    script, _, guard = name.rpartition("/")
    return Mutated(client, guards()[guard], script)


@pytest.mark.parametrize(
    ("module", "noticed"), MUTANTS, ids=lambda given: given if isinstance(given, str) else given[0]
)
def test_missing_guard_is_noticed(client: Any, module: str, noticed: Noticed) -> None:  # noqa: ANN401 - a client
    guard, test, *case = noticed
    with pytest.raises(
        (AssertionError, AttributeError, StateError, LookupError, ValueError, pytest.fail.Exception)
    ) as failed:
        run(make_state(client, mutated(client, guard)), f"{module}.{test}", case[0] if case else {})
    assert not any(error in str(failed.value) for error in NO_SCRIPT)


def test_every_guard_has_a_test() -> None:
    assert {guard.rpartition("/")[2] for _, (guard, *_) in MUTANTS} == set(guards())


def test_scripts_without_a_guard_compile(client: Any) -> None:  # noqa: ANN401 - a client
    for guard in guards().values():
        scripts = [name for name in SCRIPTS if guard.file in files_of(name)]
        assert scripts, f"{guard.name} is in no script"
        for name in scripts:
            text = Mutated(client, guard).text(name)
            assert text != source(name)
            client.script_load(text)


def test_with_the_guards_all_is_well(client: Any) -> None:  # noqa: ANN401 - a client
    """Otherwise a test could fail for its case, and not for its mutant."""
    done: list[tuple[object, ...]] = []
    for module, (_, test, *case) in MUTANTS:
        if (module, test, *case) in done:
            continue
        done.append((module, test, *case))
        run(make_state(client, Scripts(client)), f"{module}.{test}", case[0] if case else {})
        client.flushall()


def _where(module: str) -> str:
    """Return the dotted name of a test module in any folder."""
    (path,) = TESTS.rglob(f"{module}.py")
    return ".".join(path.relative_to(TESTS.parent).with_suffix("").parts)


def run(state: State, test: str, case: dict[str, Any]) -> None:
    """Call a test as pytest would, with this state."""
    module, _, name = test.partition(".")
    function = getattr(import_module(_where(f"test_{module}")), f"test_{name}")
    parameters = inspect.signature(function).parameters
    if "filled" in parameters:
        fill(state)
    if "healthy" in parameters:
        make_healthy(state)
    given = {
        "state": state,
        "real_state": state,
        "merging": state,
        "filled": state,
        "healthy": state,
        "at_ms": now_ms(state) - HOUR_MS,
    } | case
    function(**{name: given[name] for name in parameters})
