"""The model of the protocol: every invariant holds in all states of the small mixes; every guard is needed."""

import pytest

from tests.model.__main__ import main
from tests.model.guards import GUARDS
from tests.model.mixes import LONG, SHORT, Mix
from tests.model.search import search, searched
from tests.model.words import story

pytestmark = pytest.mark.xdist_group("model")

MIXES = {mix.name: mix for mix in (*SHORT, *LONG)}


@pytest.mark.parametrize("mix", SHORT, ids=lambda mix: mix.name)
def test_the_promise_is_kept_in_every_state_that_can_be_reached(mix: Mix) -> None:
    found = searched(mix)
    assert not found.violation, f"{found.violation}\n{story(found.trace)}"
    assert not found.gave_up
    assert found.states > 300


@pytest.mark.parametrize("name", GUARDS)
def test_without_a_guard_the_promise_is_broken(name: str) -> None:
    guard = GUARDS[name]
    without = {name, guard.covered_by} - {""}
    assert search(MIXES[guard.mix], frozenset(without)).violation


@pytest.mark.parametrize("name", [name for name, guard in GUARDS.items() if guard.covered_by])
def test_covered_guard_is_not_missed_by_itself(name: str) -> None:
    assert not search(MIXES[GUARDS[name].mix], frozenset({name})).violation


def test_violation_is_described_in_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["tests.model", "--without", "caught_up"])
    assert main() == 0
    told = capsys.readouterr().out
    assert "the worker calls the fence for outreach 0 (claim 1)" in told
    assert "I3: newer activity or an order had arrived before it was dispatched" in told
