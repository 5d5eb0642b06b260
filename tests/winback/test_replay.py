"""The pace of a replay, with its own clock."""

import json
from collections.abc import Iterator
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.replaying import NOW_S, Stage, iso, moment_s, recorded
from winback.operations.json_lines import JsonLine
from winback.operations.recorded_events import Schedule, retimed
from winback.operations.replay import SHORTEST_PAUSE_S, Replay


def test_the_gaps_between_events_are_divided_by_the_speed() -> None:
    stage = Stage()

    totals = stage.play(recorded(0, 60, 600, 600, 3600), speed=60)

    assert stage.moments == [0, 1, 10, 10, 60]
    assert (totals.sent, round(totals.seconds), totals.out_of_order) == (5, 60, 0)


def test_replayed_event_occurs_when_it_is_sent() -> None:
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
        JsonLine(1, b"rubbish"),
        *recorded(0),
        JsonLine(3, b"[]"),
        JsonLine(4, b"{}"),
        JsonLine(5, b'{"occurred_at": "yesterday"}'),
        JsonLine(6, b'{"occurred_at": "9999999999999999999999"}'),
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


def test_limit_ends_the_replay_after_its_number_of_events() -> None:
    stage = Stage()

    assert stage.play(recorded(0, 1, 2, 3, 4), limit=3, chunk=2).sent == 3
    assert stage.moments == [0, 1, 2]


def test_what_is_due_is_not_held_back_while_more_is_waited_for() -> None:
    stage = Stage()
    run = Replay(stage.send, speed=1, now=lambda: stage.now, pause=stage.pause, stopped=lambda: False)
    seen = []

    def batches() -> Iterator[list[JsonLine]]:
        for line in recorded(0, 0, 5):
            yield [line]
            # Requesting the next lines releases all that was read before.
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

    totals = stage.play([JsonLine(1, line if isinstance(line, bytes) else line.encode())])

    assert (totals.sent, totals.skipped) in {(1, 0), (0, 1)}
    assert len(stage.skipped) == totals.skipped
    assert all(moment_s(event) == 0 for _, event in stage.sent)
