"""An operator's searches: outreaches by state, by session, and their histories."""

from collections.abc import Sequence
from itertools import islice

from state.decisions import FEW, STATES, Operator, OutreachRecord
from state.partitions import partition_of_outreach
from tests.support.deciding import dead, operator, said, unknown
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.outreaches import abandon, sending, taken
from tests.support.partitions import same_partition
from tests.support.passing_time import expire_session
from tests.support.stored_state import now_ms, stored
from worker.runtime import State


def test_missing_outreach_cannot_be_decided(state: State) -> None:
    decides, gone = operator(state), "07-0123456789abcdef"
    for verdicts in (
        decides.retry_dead([gone]),
        decides.drop([gone]),
        decides.resolve_sent([gone]),
        decides.expire([gone]),
    ):
        assert said(verdicts) == [("gone", "")]
    assert decides.read([gone]) == [None]
    assert list(state.client.scan_iter("*")) == []


def test_each_is_found_by_its_state(state: State) -> None:
    expected = {
        "waiting": abandon(state, "s-waiting"),
        "leased": taken(state, "s-leased").outreach,
        "sending": sending(state, "s-sending").outreach,
        "dead": dead(state, "s-dead").outreach,
        "unknown": unknown(state, "s-unknown").outreach,
    }
    done = sending(state, "s-sent")
    state.outbox.settle(done, "sent", line="attempt 1")
    expected["sent"] = done.outreach
    for name, outreach in expected.items():
        (found,) = operator(state).find([name])
        assert (found.outreach, found.session, found.lane) == (outreach, f"s-{name}", "checkout.web.idle")
        assert found.waits_for_decision == (name in {"dead", "unknown"})
    assert sorted(found.outreach for found in operator(state).find(STATES)) == sorted(expected.values())
    assert list(operator(state).find(["expired"])) == []


def test_outreach_that_moves_during_the_scan_is_found_once(state: State) -> None:
    outreach = abandon(state)
    # As a reader of one set after the other finds it if it was leased in between.
    state.client.zadd(state.keys.leased(partition_of_outreach(outreach)), {outreach: now_ms(state)})
    assert [found.outreach for found in operator(state).find(["waiting", "leased"])] == [outreach]


def test_outreaches_of_an_expired_session_are_found(state: State) -> None:
    first = taken(state)
    state.outbox.end_unsent(first, "suppressed", "no_cart")
    second = abandon(state, ago_ms=HOUR_MS - MINUTE_MS)
    abandon(state, "s-2", ago_ms=HOUR_MS - MINUTE_MS)
    assert stored(state).outreaches == (first.outreach, second)
    expire_session(state)
    assert [found.outreach for found in operator(state).of_session("s-1")] == [first.outreach, second]


def test_a_session_keeps_the_ids_of_its_latest_eight_outreaches(state: State) -> None:
    made = [abandon(state, ago_ms=HOUR_MS - number * SECOND_MS) for number in range(10)]
    assert stored(state).outreaches == tuple(made[2:])
    assert stored(state).fields.keys() == {"name", "phone", "country"}


def test_a_history_is_read_line_by_line(state: State) -> None:
    held = dead(state)
    (found,) = operator(state).read([held.outreach])
    assert found is not None
    assert [line.text.partition(" silent")[0] for line in found.history] == ["claimed", "attempt 1", "dead.http_400"]
    assert all(abs(line.at_ms - now_ms(state)) < MINUTE_MS for line in found.history)


class Counting(Operator):
    """Counts the records that it reads at a time."""

    def __init__(self, state: State) -> None:
        super().__init__(state.scripts, state.keys)
        self.reads: list[int] = []

    def _read(self, outreaches: Sequence[str]) -> list[OutreachRecord | None]:
        self.reads.append(len(outreaches))
        return super()._read(outreaches)


def test_a_few_are_found_without_reading_all_that_wait(state: State) -> None:
    dead(state, "s-dead")
    wait = [abandon(state, f"s-{number}", ago_ms=2 * HOUR_MS - number * SECOND_MS) for number in range(30)]
    counting = Counting(state)
    assert [one.outreach for one in islice(counting.find(STATES, few=3), 3)] == wait[:3]
    assert counting.reads == [20]
    assert len(list(counting.find(STATES, few=3))) == 31
    assert [one.state for one in counting.find(["dead"], few=1)] == ["dead"]


def test_more_than_a_page_of_one_partition_is_found_in_order(state: State) -> None:
    sessions = same_partition("s-1", FEW + 5)
    wait = [abandon(state, session, ago_ms=2 * HOUR_MS - number * SECOND_MS) for number, session in enumerate(sessions)]
    assert [one.outreach for one in operator(state).find(["waiting"], few=1)] == wait
