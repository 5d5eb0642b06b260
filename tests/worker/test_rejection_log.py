"""Rejected events are logged once a minute with their reasons."""

from structlog.testing import capture_logs

from detectors.parsing import Problem
from tests.support.ingest_support import ingest_of, publish_raw
from worker.ingest.batch import Rejection
from worker.ingest.rejection_log import INTERVAL_S, RejectionLog
from worker.runtime import State


def rejection(field: str, message: str, *, applied: bool = False) -> Rejection:
    return Rejection(b"1-0", (Problem(field, message),), applied)


def test_line_has_counts_by_reason_and_no_value(state: State) -> None:
    for raw in (b"{", b"[", b'{"session_id":"s-1","type":"exit","occurred_at":"jane@example.com"}'):
        publish_raw(state, raw)
    with capture_logs() as logs:
        ingest_of(state).step()
    (line,) = [log for log in logs if log["event"] == "events_rejected"]
    assert (line["rejected"], line["partly_applied"]) == (2, 1)
    assert line["reasons"][0] == "event is not valid JSON: 2"
    assert "jane" not in str(logs)


def test_further_rejections_are_logged_together_a_minute_later() -> None:
    now = [0.0]
    counted = RejectionLog(clock=lambda: now[0])
    with capture_logs() as logs:
        counted.add([rejection("type", "is missing")])
        now[0] = INTERVAL_S - 1
        counted.add([rejection("cart.items.0.price", "must be a number", applied=True)])
        counted.add([rejection("cart.items.17.price", "must be a number", applied=True)])
        assert len(logs) == 1
        now[0] = INTERVAL_S
        counted.add([])
        now[0] = 3 * INTERVAL_S
        counted.add([])
    assert [log["reasons"] for log in logs] == [["type is missing: 1"], ["cart.items.price must be a number: 2"]]


def test_number_of_reasons_is_bounded() -> None:
    with capture_logs() as logs:
        RejectionLog(clock=lambda: 0.0).add([rejection(f"field_{number}", "is odd") for number in range(1000)])
    (line,) = logs
    assert (len(line["reasons"]), line["rejected"]) == (6, 1000)
