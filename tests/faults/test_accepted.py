"""The account of events that got 200 shows lost and overtaken events."""

from datetime import UTC, datetime

import pytest

from state.session_record import Session, StageVisit
from tests.faults.accepted import OVERTAKEN_S, lost, overtaken
from tests.faults.ledger import Request
from tests.faults.shop import Told, Visit

AT = 1_796_000_000
CHECKOUT = 6
"""The rank of a checkout in the web."""


def text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def visit(*told: Told) -> Visit:
    return Visit("s-1", "leaves", "+573001234567", 1, list(told))


def told(at: float, stage: str = "checkout", entry: str = "") -> Told:
    return Told(at + 0.01, 0, entry, "activity", text(at), stage)


def session(*visits: StageVisit) -> Session:
    return Session("s-1", 0, 0, 0, 0, "waiting", "", 0, {}, stage_visits=visits)


def request(at: float, stamp: float = AT) -> Request:
    return Request(at, "key", "s-1", "+573001234567", text(stamp), "{}", 200, contact=True)


@pytest.mark.parametrize(
    ("event", "problems"),
    [
        (told(AT + 1), 0),
        (told(AT + 3), 1),
        (told(AT - 1), 1),
        (told(AT + 1, "payment"), 1),
        (told(AT + 3, entry="1-0"), 0),
        (told(AT + 3, ""), 0),
    ],
)
def test_event_with_200_that_a_session_lacks_is_lost(event: Told, problems: int) -> None:
    visits = [StageVisit(CHECKOUT, AT * 1000, (AT + 2) * 1000)]
    assert len(list(lost(visit(event), session(*visits)))) == problems


@pytest.mark.parametrize(
    ("event", "at", "problems"),
    [
        (told(AT + 2), AT + 2 + OVERTAKEN_S + 0.1, 1),
        (told(AT + 2), AT + 2 + OVERTAKEN_S - 0.1, 0),
        (told(AT), AT + 60, 0),
        (told(AT + 2, entry="1-0"), AT + 60, 0),
    ],
)
def test_request_long_after_a_newer_event_is_found(event: Told, at: float, problems: int) -> None:
    assert len(list(overtaken(visit(event), [request(at)], []))) == problems


@pytest.mark.parametrize(("claimed", "problems"), [(AT + 2.1, 0), (AT + 2.5, 1)])
def test_claim_after_a_newer_event_is_found(claimed: float, problems: int) -> None:
    found = list(overtaken(visit(told(AT + 2)), [request(AT + 3)], [round(claimed * 1000)]))
    assert len(found) == problems
