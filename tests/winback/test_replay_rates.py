"""The maximum rate of a replay, and a server that is slow."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.replaying import Stage, moment_s, recorded
from winback.operations.replay import BURST_S


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


def test_rate_limited_events_keep_their_due_time() -> None:
    stage = Stage()

    totals = stage.play(recorded(0, 0, 0), max_rate=1)

    assert stage.moments == [0, 1, 2]
    assert [round(moment_s(event), 3) for _, event in stage.sent] == [0, 0, 0]
    assert totals.worst_lag_s == pytest.approx(2, abs=0.01)


def test_slow_server_shows_as_lag_and_due_events_go_together() -> None:
    stage = Stage()
    batches = []

    def slow(events: Sequence[bytes]) -> None:
        batches.append(len(events))
        stage.now += 10

    totals = stage.play(recorded(*range(1, 31)), send=slow)

    assert batches[0] == 1
    assert max(batches) >= 9
    assert totals.worst_lag_s == pytest.approx(9, abs=1.1)
