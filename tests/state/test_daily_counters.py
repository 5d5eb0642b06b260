"""The counters as the report reads them: by day and place."""

from state import daily_counters
from state.daily_counters import DailyCount
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.events import JANE, event, happen
from tests.support.outreaches import sending, sweep
from tests.support.passing_time import expire_session
from tests.support.stored_state import now_ms
from worker.runtime import State


def write(state: State, partition: int, day: int, **counts: int) -> None:
    key = state.keys.stats(partition, day)
    state.client.hset(key, mapping={name.replace("__", "."): number for name, number in counts.items()})
    state.client.pexpire(key, DAY_MS)


def test_what_sessions_end_as_is_counted_where_they_fell_silent(state: State) -> None:
    happen(state, event(session="s-anonymous", stage="cart_review"), ago_ms=HOUR_MS)
    happen(state, event(session="s-old", stage="payment", customer=JANE), ago_ms=3 * DAY_MS)
    happen(state, event(session="s-gone", stage="product_selection"), ago_ms=HOUR_MS)
    expire_session(state, "s-gone")
    sweep(state)
    happen(state, event("payment_declined", "s-declined", customer=JANE), ago_ms=HOUR_MS)
    sweep(state, suppress_reason="declined_off", max_age_ms=DAY_MS)
    state.outbox.settle(sending(state, "s-sent"), "sent")

    today, _ = daily_counters.today(state.scripts, state.keys)
    found = {
        (t.name, t.detail): (t.stage, t.number) for t in daily_counters.read(state.scripts, state.keys, today, today)
    }

    assert today == now_ms(state) // DAY_MS
    assert {what: where for what, where in found.items() if what[0] not in {"sessions", "silent", "silent_hour"}} == {
        ("unreachable", ""): ("cart_review", 1),
        ("expired", "too_old"): ("payment", 1),
        ("expired", "session_gone"): ("product_selection", 1),
        ("suppressed", "declined_off"): ("checkout", 1),
        ("sent", ""): ("checkout", 1),
    }


def test_days_and_places_are_kept_apart_and_partitions_are_not(state: State) -> None:
    for day in range(100, 120):
        write(state, 3, day, **{"sent@checkout.web": day, "silent__checkout.web.exit": 1})
        write(state, 60, day, **{"sent@checkout.web": 1, "suppressed__no_cart@payment.ios": 2})

    found = daily_counters.read(state.scripts, state.keys, 101, 118)

    assert {tally.day for tally in found} == set(range(101, 119))
    assert [tally for tally in found if tally.day == 110] == [
        DailyCount(110, "checkout", "web", "sent", "", 111),
        DailyCount(110, "checkout", "web", "silent", "exit", 1),
        DailyCount(110, "payment", "ios", "suppressed", "no_cart", 2),
    ]


def test_counter_without_a_stage_is_read(state: State) -> None:
    write(state, 7, 100, expired__outreach_gone=2, sent=1)
    assert daily_counters.read(state.scripts, state.keys, 100, 100) == [
        DailyCount(100, "", "", "expired", "outreach_gone", 2),
        DailyCount(100, "", "", "sent", "", 1),
    ]
