"""The counters of live silences equal those of a pass over the same events."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from random import Random
from statistics import mean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.flow import STAGES, Stage
from detectors.sequence import ACTIVITY_RANK
from state import silence_counters
from state.partitions import partition_of
from tests.support.events import JANE, apply, arrived, event
from tests.support.live_model import Silence, counters, shop, specified, true_share
from tests.support.live_model import count as count_silence
from tests.support.outreaches import dispatch, fence, sweep, take
from tests.support.redis_clients import fake_client
from tests.support.silence_replay import METHOD, RANKS, Replay
from tests.support.silent_shoppers import EveryoneCounts, ordered, seen
from tests.support.states import FakeScripts, make_state
from tests.support.stored_state import now_ms
from thresholds.cells import FOLLOWED, ORDERED, RETURNED, Packing, added, cumulated, unpacked
from thresholds.collector import Collector
from thresholds.contacts import Counts, Period, count
from thresholds.counters import LiveCounters, live_counts
from thresholds.curve import Point, Question, curve
from thresholds.grid import DAY_MS, HOUR_MS, MINUTE_MS
from thresholds.observed import Observed
from thresholds.silences import GROUPS
from thresholds.study import ranks_of
from worker.runtime import State

HORIZONS = (HOUR_MS, DAY_MS)
WAITS: dict[Stage, float] = {"product_selection": 45.0, "cart_review": 30.0, "checkout": 15.0, "payment": 10.0}
FAR_MS = 10**15
CHECKOUT = ACTIVITY_RANK["checkout", "web"]
SHOPS = [shop(Random(number), 1500, holdout=0.15) for number in range(40)]
Shown = dict[int, list[list[int]]]


@st.composite
def recordings(draw: st.DrawFn) -> list[Observed]:
    """Draw the events of a few sessions with gaps of all lengths, also at the edges of the grid."""
    found: list[Observed] = []
    for number in range(draw(st.integers(1, 4))):
        minute: float = draw(st.integers(0, 1000))
        for _ in range(draw(st.integers(1, 7))):
            kind = draw(st.sampled_from(["seen", "seen", "seen", "seen", "order"]))
            stage = draw(st.sampled_from(STAGES))
            found.append(ordered(f"s{number}", minute) if kind == "order" else seen(f"s{number}", minute, stage))
            minute += draw(st.sampled_from([0.5, 2, 2.5, 5, 10, 11, 15, 16, 30, 31, 44, 60, 61, 100, 240, 400, 1500]))
    return sorted(found, key=lambda one: one.stamp)


def of_recording(events: Sequence[Observed], waits: dict[Stage, float]) -> Counts:
    collector: Collector[int] = Collector(EveryoneCounts())
    for one in events:
        collector.take(one)
    by_rank = {rank: round(waits[stage] * MINUTE_MS) for stage in STAGES for rank in ranks_of(stage)}
    return count(collector.finish(), Period(0, FAR_MS, 0), by_rank, HORIZONS)


def of_redis(replay: Replay) -> Counts:
    found = live_counts(
        [LiveCounters(0, 0, 0, (), {}), *replay.counters()],
        FAR_MS,
        horizons=HORIZONS,
        asked_ms=HOUR_MS,
        longest_wait_ms=0,
        later_part=1,
    )
    return found.counts


def shown(counts: Counts) -> Shown:
    """Return contacts, those followed, returns and orders at each threshold, by rank."""
    found = {}
    for rank in RANKS:
        cells = [cell for key, cell in counts.days.items() if key.rank == rank]
        numbers = cumulated(added(cells)) if cells else [0] * 29
        packing = Packing(HORIZONS)
        shifts = [packing.shift(what, number) for what in (FOLLOWED, RETURNED, ORDERED) for number in (0, 1)]
        found[rank] = [unpacked(numbers, shift) for shift in (0, *shifts)]
    return found


@settings(max_examples=60, deadline=None)
@given(events=recordings(), waits=st.sampled_from([WAITS, dict.fromkeys(WAITS, 20.0), WAITS | {"checkout": 300.0}]))
def test_redis_counts_what_a_recording_would(events: list[Observed], waits: dict[Stage, float]) -> None:
    client = fake_client()
    client.flushall()
    state = make_state(client, FakeScripts(client))
    replay = Replay(state, HORIZONS, waits)
    for one in events:
        replay.take(one)
    for number in {partition_of(one.session) for one in events}:
        replay.sweep(number, FAR_MS)
    assert shown(of_redis(replay)) == shown(of_recording(events, waits))


def estimates(silences: Sequence[Silence], horizon_ms: int) -> dict[int, Point]:
    """Return the points by the minutes of their threshold, from the counters of these silences."""
    cells = counters(silences, CHECKOUT, HORIZONS, day=5, groups=GROUPS)
    found = live_counts(
        [LiveCounters(0, 0, 0, (), {}), *cells],
        9 * DAY_MS,
        horizons=HORIZONS,
        asked_ms=HOUR_MS,
        longest_wait_ms=0,
        later_part=1,
    )
    shares = curve(found.counts, Question("return", horizon_ms), ranks=[CHECKOUT], held_share=found.held_share)
    return {point.threshold_ms // MINUTE_MS: point for point in shares}


@pytest.mark.parametrize("horizon_ms", HORIZONS)
@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_contacts_with_a_known_effect_bias_no_share(minutes: int, horizon_ms: int) -> None:
    """The shares are those without contacts: before the threshold in force (15 minutes), at it, and after it."""
    off, covered = [], 0
    for silences in SHOPS:
        truth = true_share(silences, minutes * MINUTE_MS, horizon_ms)
        point = estimates(silences, horizon_ms)[minutes]
        off.append(point.share_raw - truth)
        covered += point.interval.low <= truth <= point.interval.high
    error = stdev(off) / sqrt(len(off))
    assert abs(mean(off)) < 3 * error < 0.02
    assert covered >= 0.85 * len(off)


def test_claims_that_end_without_contact_are_no_holdout() -> None:
    """People who return before their contact, or that other rules stop, return more often than those held out."""
    at = (15 * MINUTE_MS, HOUR_MS)
    assert mean(specified(silences, *at) - true_share(silences, *at) for silences in SHOPS) > 0.15


def test_contacts_without_holdout_hide_what_follows() -> None:
    found = estimates(shop(Random(1), 1000, holdout=0), HOUR_MS)
    assert [found[minutes].is_touched for minutes in (5, 15, 60)] == [True, True, True]
    short = [Silence(10 * MINUTE_MS, 10 * MINUTE_MS), Silence(10**9, 10**9, 4 * HOUR_MS)]
    assert [estimates(short, HOUR_MS)[minutes].is_touched for minutes in (5, 180, 240)] == [False, False, True]


@pytest.mark.parametrize(("held_out", "back_ago"), [(True, -10), (True, -300), (False, -10), (False, -300)])
def test_redis_counts_contacts_as_the_model_does(
    state: State,
    held_out: bool,  # noqa: FBT001 - a case
    back_ago: int,
) -> None:
    base_ms = now_ms(state)
    silence_counters.record(state.scripts, state.keys, replace(METHOD, horizons_ms=HORIZONS))
    apply(state, arrived(event(customer=JANE), base_ms - 20 * MINUTE_MS))
    assert sweep(state) == 1
    held = take(state, dispatch(state)[0])
    if held_out:
        state.outbox.end_unsent(held, "suppressed", "holdout")
    else:
        fence(state, held)
        state.outbox.settle(held, "sent")
    apply(state, arrived(event(), base_ms - back_ago * MINUTE_MS))
    end_ms = (20 - back_ago) * MINUTE_MS
    model = Counter[str]()
    count_silence(model, Silence(end_ms, end_ms, 20 * MINUTE_MS + 1, held_out=held_out), HORIZONS)
    (found,) = silence_counters.read(state.scripts, state.keys, [CHECKOUT], base_ms // DAY_MS)
    assert {name: number for name, number in found.numbers.items() if number} == dict(model)
