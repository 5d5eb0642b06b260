"""The pace of a replay, by a clock of its own."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winback.operations.json_lines import Line
from winback.operations.recorded_events import Schedule, retimed
from winback.operations.replay import BURST_S, SHORTEST_PAUSE_S, Replay, Totals

MAY = datetime(2025, 5, 13, 22, 40, tzinfo=UTC)
NOW_S = 1_800_000_000.0


class Stage:
    """A clock that only pauses move, and what was sent at which of its moments."""

    def __init__(self) -> None:
        self.now = NOW_S
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.skipped: list[str] = []
        self.stop_at = float("inf")

    def play(
        self,
        lines: Sequence[Line],
        *,
        speed: float = 1.0,
        chunk: int = 1000,
        limit: int | None = None,
        max_rate: float | None = None,
        send: Callable[[Sequence[bytes]], None] | None = None,
    ) -> Totals:
        run = Replay(
            self.send if send is None else send,
            speed=speed,
            now=lambda: self.now,
            pause=self.pause,
            stopped=lambda: self.now >= self.stop_at,
            limit=limit,
            max_rate=max_rate,
            skipped=self.skipped.append,
        )
        run.run(lines[start : start + chunk] for start in range(0, len(lines), chunk))
        return run.totals

    def send(self, events: Sequence[bytes]) -> None:
        self.sent += [(self.now - NOW_S, json.loads(event)) for event in events]

    def pause(self, seconds: float) -> None:
        self.now += seconds

    @property
    def moments(self) -> list[float]:
        return [round(at, 2) for at, _ in self.sent]


def recorded(*seconds: float, **more: object) -> list[Line]:
    return [
        Line(number, json.dumps({"occurred_at": iso(after), "n": number, **more}).encode())
        for number, after in enumerate(seconds, 1)
    ]


def iso(after_s: float) -> str:
    return (MAY + timedelta(seconds=after_s)).isoformat()


def moment_s(event: dict[str, Any], field: str = "occurred_at") -> float:
    return datetime.fromisoformat(event[field]).timestamp() - NOW_S


def test_the_gaps_between_events_are_divided_by_the_speed() -> None:
    stage = Stage()

    totals = stage.play(recorded(0, 60, 600, 600, 3600), speed=60)

    assert stage.moments == [0, 1, 10, 10, 60]
    assert (totals.sent, round(totals.seconds), totals.out_of_order) == (5, 60, 0)


def test_an_event_says_that_it_occurred_when_it_is_sent() -> None:
    stage = Stage()

    stage.play(recorded(0, 90, 91, session_id="s"), speed=2)

    assert [round(moment_s(event), 3) for _, event in stage.sent] == [0, 45, 45.5]
    assert [event["n"] for _, event in stage.sent] == [1, 2, 3]
    assert {event["session_id"] for _, event in stage.sent} == {"s"}


def test_when_a_payment_expires_moves_by_the_same_rule() -> None:
    stage = Stage()

    stage.play(recorded(0, 600, expires_at=iso(3600)), speed=10)

    assert [round(moment_s(event, "expires_at")) for _, event in stage.sent] == [360, 360]


@given(
    st.lists(st.integers(0, 5_000_000), min_size=1, max_size=20),
    st.floats(0.5, 10_000),
    st.integers(1, 7),
)
def test_every_event_is_sent_at_its_moment_and_in_its_order(gaps_ms: list[int], speed: float, chunk: int) -> None:
    stage = Stage()
    occurred_s = [ms / 1000 for ms in accumulate(gaps_ms)]

    stage.play(recorded(*occurred_s), speed=speed, chunk=chunk)

    assert [event["n"] for _, event in stage.sent] == list(range(1, len(gaps_ms) + 1))
    for (at, event), occurred in zip(stage.sent, occurred_s, strict=True):
        due = (occurred - occurred_s[0]) / speed
        assert moment_s(event) == pytest.approx(due, abs=0.002)
        assert due - 0.001 <= at <= due + SHORTEST_PAUSE_S + 0.001


def test_events_out_of_order_are_sent_at_once_and_counted() -> None:
    stage = Stage()

    totals = stage.play(recorded(0, 100, 40, 50, 120))

    assert stage.moments == [0, 100, 100, 100, 120]
    assert [round(moment_s(event)) for _, event in stage.sent] == [0, 100, 40, 50, 120]
    assert totals.out_of_order == 2
    assert totals.worst_lag_s < 0.01


def test_lines_without_a_moment_are_named_and_left_out() -> None:
    stage = Stage()
    lines = [
        Line(1, b"rubbish"),
        *recorded(0),
        Line(3, b"[]"),
        Line(4, b"{}"),
        Line(5, b'{"occurred_at": "yesterday"}'),
        Line(6, b'{"occurred_at": "9999999999999999999999"}'),
    ]

    totals = stage.play(lines)

    assert (totals.sent, totals.skipped) == (1, 5)
    assert [why.partition(";")[0] for why in stage.skipped] == [
        "line 1: is not valid JSON",
        "line 3: is not a JSON object",
        "line 4: occurred_at: is missing",
        "line 5: occurred_at: is not a date and time (2025-05-13T22:40:00Z)",
        "line 6: occurred_at: is not a date and time (2025-05-13T22:40:00Z)",
    ]


def test_a_limit_ends_it_after_so_many_events() -> None:
    stage = Stage()

    assert stage.play(recorded(0, 1, 2, 3, 4), limit=3, chunk=2).sent == 3
    assert stage.moments == [0, 1, 2]


@given(st.integers(1, 400), st.floats(2, 500), st.integers(1, 50))
def test_a_maximum_rate_is_not_exceeded_whatever_is_due(events: int, rate: float, chunk: int) -> None:
    stage = Stage()

    stage.play(recorded(*[0.0] * events), max_rate=rate, chunk=chunk)

    assert len(stage.sent) == events
    times = sorted(at for at, _ in stage.sent)
    for span in (1, 5):
        most = max(sum(start <= at < start + span for at in times) for start in times)
        assert most <= rate * (span + 2 * BURST_S) + 2
    assert times[-1] <= events / rate + 0.01 * events


def test_a_quiet_time_is_not_made_up_for_by_exceeding_the_rate() -> None:
    stage = Stage()

    stage.play(recorded(0, *[100.0] * 50), max_rate=10)

    assert stage.moments[1] == 100
    assert stage.moments[-1] == pytest.approx(105, abs=0.3)


def test_events_held_back_by_the_rate_keep_the_moment_at_which_they_were_due() -> None:
    stage = Stage()

    totals = stage.play(recorded(0, 0, 0), max_rate=1)

    assert stage.moments == [0, 1, 2]
    assert [round(moment_s(event), 3) for _, event in stage.sent] == [0, 0, 0]
    assert totals.worst_lag_s == pytest.approx(2, abs=0.01)


def test_a_server_that_is_slow_shows_as_lag_and_what_has_become_due_goes_together() -> None:
    stage = Stage()
    batches = []

    def slow(events: Sequence[bytes]) -> None:
        batches.append(len(events))
        stage.now += 10

    totals = stage.play(recorded(*range(1, 31)), send=slow)

    assert batches[0] == 1
    assert max(batches) >= 9
    assert totals.worst_lag_s == pytest.approx(9, abs=1.1)


def test_what_is_due_is_not_held_back_while_more_is_waited_for() -> None:
    stage = Stage()
    run = Replay(stage.send, speed=1, now=lambda: stage.now, pause=stage.pause, stopped=lambda: False)
    seen = []

    def batches() -> Iterator[list[Line]]:
        for line in recorded(0, 0, 5):
            yield [line]
            # The next lines are asked for: nothing that was read before is still held.
            seen.append(len(stage.sent))

    run.run(batches())

    assert seen == [1, 2, 3]


def test_a_stop_in_a_long_gap_ends_it_there() -> None:
    stage = Stage()
    stage.stop_at = NOW_S + 3

    totals = stage.play(recorded(0, 1, 86_400))

    assert totals.sent == 2
    assert stage.now < NOW_S + 3.5


def test_moments_beyond_the_calendar_are_kept_within_it() -> None:
    schedule = Schedule(first_ms=253_402_300_000_000, start_ms=1_800_000_000_000, speed=0.001)

    event = {"occurred_at": "1970-01-01T00:00:00Z", "expires_at": "9999-12-31T23:59:59Z"}

    assert json.loads(retimed(event, 0, schedule))["occurred_at"] == "1970-01-01T00:00:00Z"
    later = Schedule(first_ms=0, start_ms=1_800_000_000_000, speed=0.001)
    assert json.loads(retimed(event, 0, later))["expires_at"] == "9999-12-31T23:59:59Z"


@given(st.binary(max_size=60) | st.dictionaries(st.text(max_size=5), st.text() | st.integers()).map(json.dumps))
def test_whatever_a_line_holds_it_is_sent_with_a_moment_or_named(line: bytes | str) -> None:
    stage = Stage()

    totals = stage.play([Line(1, line if isinstance(line, bytes) else line.encode())])

    assert (totals.sent, totals.skipped) in {(1, 0), (0, 1)}
    assert len(stage.skipped) == totals.skipped
    assert all(moment_s(event) == 0 for _, event in stage.sent)
