"""The model agrees with the scripts: the same random walks through both, on fakeredis and a real server."""

import os
from functools import cache
from typing import Any

import fakeredis
import pytest

from tests.model.guards import GUARDS, Without
from tests.model.mixes import SHORT, Mix
from tests.model.search import Step, search
from tests.mutants.lua_guards import guards
from tests.mutants.test_mutants import Mutated
from tests.support.conformance import replay, walk
from tests.support.states import make_state
from worker.runtime import State

MIXES = {mix.name: mix for mix in SHORT}
# Not the guards of the order in which an attempt or ingest calls the scripts, which the walk takes from the model. The
# limit of takes differs between the two.
IN_SCRIPTS = [
    name
    for name, guard in GUARDS.items()
    if not guard.covered_by and guard.where not in {"attempt", "ingest"} and name != "takes_end"
]
WRONG = ["reap_sending", "take_waiting"]
"""Guards of the scripts that a walk misses; see tests/mutants/lua_guards.py."""
SEEDS = {"fence_id": 5, "fence_lease": 0, "calls_off": 0, "retry_asks": 2}
"""Walks that reach places where these guards matter."""
WALKS = int(os.environ.get("WINBACK_TEST_WALKS", "4"))


class MutatedFake(Mutated):
    """For fakeredis, which doesn't support the `#!lua` line."""

    def text(self, name: str) -> str:
        return super().text(name).split("\n", 1)[1]


@cache
def _story(mix: Mix, without: Without) -> list[Step]:
    return search(mix, without).trace


@pytest.mark.parametrize("seed", range(WALKS))
def test_the_scripts_go_where_the_model_goes(state: State, seed: int) -> None:
    walk(state, seed, 150)


@pytest.mark.parametrize("name", IN_SCRIPTS)
def test_scripts_reject_a_model_without_a_guard(state: State, name: str) -> None:
    without, mix = frozenset({name}), MIXES[GUARDS[name].mix]
    with pytest.raises((AssertionError, LookupError)):
        replay(state, mix, _story(mix, without), without)


@pytest.mark.parametrize("name", SEEDS)
def test_walk_notices_a_missing_guard_that_another_covers(state: State, name: str) -> None:
    with pytest.raises((AssertionError, LookupError)):
        walk(state, SEEDS[name], 150, frozenset({name}))


@pytest.mark.parametrize("guard", WRONG)
def test_a_wrong_script_is_noticed(server: Any, guard: str) -> None:  # noqa: ANN401 - real or fake
    fake = isinstance(server, fakeredis.FakeRedis)
    scripts = (MutatedFake if fake else Mutated)(server, guards()[guard])
    with pytest.raises((AssertionError, LookupError)):
        walk(make_state(server, scripts), 1, 150)
    server.flushall()
