"""The schedule of deliveries: order for each outreach, and a receiver that fails."""

from datetime import timedelta
from random import Random

from worker.webhooks.schedule import AT_A_TIME, LONGEST_PAUSE, LONGEST_WAIT, MOST, Delivery, Schedule

A, B = "07-aaaaaaaaaaaaaaaa", "08-bbbbbbbbbbbbbbbb"


class Longest(Random):
    """Full jitter without the jitter: each wait is the longest one."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def delivery(outreach: str, number: int = 1) -> Delivery:
    return Delivery(f"{number}-0".encode(), f"{outreach}.contacted.{number}", outreach, "{}", number)


def schedule(*deliveries: Delivery) -> Schedule:
    made = Schedule(Longest())
    for one in deliveries:
        made.add(one, 0.0)
    return made


def posted(made: Schedule, now: float) -> list[str]:
    found = []
    while (one := made.next(now)) is not None:
        found.append(one.id)
    return found


def test_entries_of_one_outreach_follow_each_other() -> None:
    first, second, other = delivery(A, 1), delivery(A, 2), delivery(B, 3)
    made = schedule(first, second, other)
    assert posted(made, 0.0) == [first.id, other.id]
    made.done(first, 0.0)
    assert posted(made, 0.0) == [second.id]


def test_failed_entry_holds_up_its_own_outreach_only() -> None:
    first, second, other = delivery(A, 1), delivery(A, 2), delivery(B, 3)
    made = schedule(first, second, other)
    assert made.next(0.0) is first
    made.failed(first, 0.0)
    assert posted(made, 0.9) == []
    assert made.next(1.0) is other
    made.done(other, 1.0)
    assert made.next(1.0) is first
    made.done(first, 1.0)
    assert made.next(1.0) is second


def test_receiver_that_fails_gets_one_request_at_a_time() -> None:
    made = schedule(*(delivery(f"{number:02d}-0000000000000000", number) for number in range(20)))
    assert len(posted(made, 0.0)) == AT_A_TIME
    for number in range(AT_A_TIME):
        made.failed(delivery(f"{number:02d}-0000000000000000", number), 0.0)
    later = LONGEST_PAUSE.total_seconds() + 1
    assert len(posted(made, later)) == 1


def test_pause_of_all_grows_to_its_longest_and_ends_with_a_success() -> None:
    one = delivery(A)
    made, now, pauses = schedule(one, delivery(B, 2)), 0.0, []
    for _ in range(14):
        found = made.next(now)
        assert found is not None
        made.failed(found, now)
        wait = made.wait_s(now, 10_000)
        pauses.append(wait)
        now += max(wait, LONGEST_WAIT.total_seconds())
    assert pauses[:4] == [1, 2, 4, 8]
    assert max(pauses) <= LONGEST_WAIT.total_seconds()
    found = made.next(now)
    assert found is not None
    made.done(found, now)
    assert made.wait_s(now, 10_000) == 0
    assert made.failures == 0


def test_retry_after_lengthens_the_pause_of_all() -> None:
    one = delivery(A)
    made = schedule(one, delivery(B, 2))
    assert made.next(0.0) is one
    made.failed(one, 0.0, timedelta(minutes=20))
    assert posted(made, 1199.0) == []
    assert len(posted(made, 1200.0)) == 1


def test_dropped_entry_frees_its_outreach_and_is_no_success() -> None:
    first, second = delivery(A, 1), delivery(A, 2)
    made = schedule(first, second)
    made.next(0.0)
    made.failed(first, 0.0)
    assert made.next(1.0) is first
    made.done(first, 1.0, accepted=False)
    assert made.failures == 1
    assert made.next(1.0) is second


def test_memory_is_bounded() -> None:
    made = schedule(*(delivery(A, number) for number in range(MOST)))
    assert (len(made), made.room) == (MOST, 0)
    assert made.oldest_ms() == 0


def test_empty_schedule_waits_for_the_longest_time() -> None:
    made = schedule()
    assert (made.wait_s(0.0, 0.5), made.is_hungry(0.0), made.oldest_ms()) == (0.5, True, None)


def test_full_courier_waits_for_a_request_to_end() -> None:
    made = schedule(*(delivery(f"{number:02d}-0000000000000000", number) for number in range(AT_A_TIME + 1)))
    assert len(posted(made, 0.0)) == AT_A_TIME
    assert made.wait_s(0.0, 0.5) == 0.5
    made.done(delivery("00-0000000000000000", 0), 0.0)
    assert made.wait_s(0.0, 0.5) == 0
