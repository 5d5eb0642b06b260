"""While a collector holds undelivered events, no session is claimed for its silence, and no outreach is dispatched."""

from dataclasses import replace

import pytest

from detectors.settings import DetectionSettings
from state.claims import Claimed
from state.collectors import HOLDS_MS, Collectors, Figures
from state.event_streams import Streams, Watermark
from tasks.delivery.attempt import attempt
from tasks.delivery.settling import AttemptOutcome
from tasks.deps import Deps
from tasks.dispatch import Dispatched, dispatch
from tasks.sweep import sweep
from tests.support import outreaches
from tests.support.attempts import deps_of
from tests.support.durations import MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.outreaches import abandon
from tests.support.stored_state import now_ms, places_of, record
from worker.runtime import State


def report(state: State, ago_ms: int) -> None:
    Collectors(state.scripts, state.keys).sign("a", now_ms(state) - ago_ms, Figures())


def deps(state: State) -> Deps:
    return replace(deps_of(state), detection=DetectionSettings)


@pytest.mark.parametrize(("held_minutes", "claimed"), [(0, 1), (4, 1), (6, 0)])
def test_sweep_measures_silence_up_to_the_report(state: State, held_minutes: int, claimed: int) -> None:
    happen(state, event(session="s-1", customer=JANE), ago_ms=20 * MINUTE_MS)
    report(state, held_minutes * MINUTE_MS)
    assert sweep(deps(state)) == Claimed(claimed, claimed)


def test_session_is_claimed_when_the_collector_has_delivered(state: State) -> None:
    happen(state, event(session="s-1", customer=JANE), ago_ms=20 * MINUTE_MS)
    report(state, 19 * MINUTE_MS)
    assert sweep(deps(state)) == Claimed(0, 0)
    report(state, 0)
    assert sweep(deps(state)) == Claimed(1, 1)


def test_dispatch_waits_for_a_collector_that_is_behind(state: State) -> None:
    outreach, enqueued = abandon(state), list[str]()
    report(state, MINUTE_MS)
    assert dispatch(deps(state), queued=lambda: 0, enqueue=enqueued.extend) == Dispatched(0, 0, 0)
    assert places_of(state, outreach) == {"due"}
    report(state, 0)
    assert dispatch(deps(state), queued=lambda: 0, enqueue=enqueued.extend) == Dispatched(1, 0, 0)
    assert enqueued == [outreach]


def test_leased_attempt_waits_for_a_collector_behind(state: State) -> None:
    outreach = abandon(state)
    outreaches.dispatch(state)
    report(state, HOLDS_MS + 500)
    assert attempt(outreach, deps(state)) == AttemptOutcome(outreach, "postponed", "collector_behind")
    assert places_of(state, outreach) == {"due"}


def test_attempt_goes_on_if_collectors_have_delivered(state: State) -> None:
    outreach = abandon(state)
    outreaches.dispatch(state)
    report(state, HOLDS_MS // 2)
    assert attempt(outreach, deps(state)).reason == "shadow"


class Delivering(Streams):
    """Streams to which a collector delivers its events, and reports it, just before its report is read."""

    state: State

    def watermark(self) -> Watermark:
        self.state.client.xadd(self.state.keys.events, {"event": "{}"})
        report(self.state, 0)
        return super().watermark()


def test_barrier_includes_events_that_a_collector_delivered(state: State) -> None:
    outreach = abandon(state)
    report(state, MINUTE_MS)
    streams = Delivering(state.scripts, state.keys)
    streams.state = state
    dispatch(replace(deps(state), streams=streams), queued=lambda: 0, enqueue=lambda _: None)
    assert record(state, outreach)["barrier"] == state.streams.barrier()
