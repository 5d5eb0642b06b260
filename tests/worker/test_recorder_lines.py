"""The lines of a recording: no personal data, and the facts that tune reads."""

import json
from typing import Any

import pytest

from detectors.activity import ActivityEvent
from tasks.policy.law.places import place_of
from worker.recorder.lines import line_of
from worker.recorder.pseudonyms import Pseudonyms, example_of, place_text

_ARRIVAL_MS = 1_796_097_600_000
_FULL = {
    "session_id": "cart-77001",
    "type": "activity",
    "occurred_at": "2026-12-01T03:00:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "previous_session_id": "cart-76000",
    "source": "segment-secret",
    "customer": {
        "full_name": "Ana Fulana",
        "phone_number": "+573001234567",
        "email": "ana@shop.example",
        "country_code": "Colombia",
        "language": "es",
        "region": "Antioquia",
        "time_zone": "America/Bogota",
        "consent": {"call": True, "given_at": "2025-01-01", "source": "https://shop.example/ana"},
    },
    "cart": {"total_value": 120.5, "currency": "cop", "items": [{"name": "Red shoe", "sku": "RS-1", "quantity": 2}]},
    "engagement": {"reason": "asked for Ana", "metadata": {"note": "ana", "bot": False}},
}
_PERSONAL = ("77001", "76000", "Ana", "ana", "1234567", "Red", "RS-1", "segment", "2025", "asked")


def recorded(event: Any, secret: bytes = b"a secret") -> Any:  # noqa: ANN401 - any JSON
    line = line_of(json.dumps(event).encode(), _ARRIVAL_MS, Pseudonyms(secret))
    return None if line is None else json.loads(line)


def test_line_holds_no_personal_data() -> None:
    line = line_of(json.dumps(_FULL).encode(), _ARRIVAL_MS, Pseudonyms(b"a secret"))
    assert line is not None
    assert [text for text in _PERSONAL if text in line.decode()] == []


def test_line_holds_the_facts_for_tune() -> None:
    found = recorded(_FULL)
    assert found["cart"] == {"total_value": 120.5, "currency": "COP", "items": [{"quantity": 2}]}
    assert found["customer"] == {
        "country_code": "CO", "region": "CO-ANT", "time_zone": "America/Bogota", "consent": {"call": True},
    }  # fmt: skip
    assert found["engagement"] == {"metadata": {"bot": False}}
    facts = found["recorded"]
    assert (facts["named"], facts["email"], facts["place"][:3]) == (True, True, "+57")


def test_line_is_an_event_without_a_person() -> None:
    event = ActivityEvent.model_validate(recorded(_FULL))
    assert event.customer is not None
    assert (event.customer.phone_number, event.customer.full_name, event.customer.email) == (None, None, None)


def test_hashes_depend_on_the_secret() -> None:
    one, other = recorded(_FULL), recorded(_FULL, b"another secret")
    assert one["session_id"] != other["session_id"]
    assert one["recorded"]["person"] != other["recorded"]["person"]


def test_person_is_the_same_in_every_spelling() -> None:
    spelled = _FULL | {"customer": {"phone_number": "(300) 123-4567", "country_code": "CO"}}
    order = {"type": "order_completed", "customer": {"phone_number": "+57 300 1234567"}}
    person = recorded(_FULL)["recorded"]["person"]
    assert recorded(spelled)["recorded"]["person"] == person
    assert recorded(order)["recorded"]["people"] == [person]


@pytest.mark.parametrize("more", [{}, {"occurred_at": "2026-12-01T03:00:00.25+01:00"}, {"session_id": " c/1 "}])
def test_usual_event_has_the_same_line_in_the_fast_way(more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("session_id", "type", "occurred_at", "flow_stage", "platform")
    event = {name: _FULL[name] for name in names} | more
    fast = recorded(event)
    monkeypatch.setattr("worker.ingest.fast_path.read", lambda *_: None)
    assert recorded(event) == fast


def test_event_without_a_time_has_its_arrival() -> None:
    event = {name: value for name, value in _FULL.items() if name != "occurred_at"}
    assert recorded(event)["occurred_at"] == "2026-12-01T04:00:00Z"


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize("field", ["expires_at", "occurred_at"])
def test_time_beyond_the_years_of_utc_is_recorded(field: str, moment: str) -> None:
    found = recorded(_FULL | {"type": "payment_pending", field: moment})
    assert ActivityEvent.model_validate(found).session_id == found["session_id"]


@pytest.mark.parametrize("event", [{}, {"type": "opt_out", "customer": {"email": "a@b.example"}}, [], "x"])
def test_event_that_tells_tune_nothing_has_no_line(event: object) -> None:
    assert recorded(event) is None


@pytest.mark.parametrize("text", ["+57 300 765 4321", "Ana Fulana", "ana@shop.example", "Carrera 7 # 12-34"])
@pytest.mark.parametrize("field", ["full_name", "phone_number", "email", "country_code", "region", "time_zone"])
def test_personal_text_in_any_field_is_not_recorded(field: str, text: str) -> None:
    assert text not in json.dumps(recorded(_FULL | {"customer": {field: text}}))


@pytest.mark.parametrize(
    "number",
    ["+573001234567", "+13055550123", "+12125550199", "+17875550101", "+5511987654321", "+5592987654321",
     "+526641234567", "+525512345678", "+61891234567", "+447911123456", "+59171234567", "+18002345678"],
)  # fmt: skip
def test_place_hides_digits_and_stays_the_same(number: str) -> None:
    shown = place_text(number)
    assert shown.count("*") >= 4
    assert number[-4:] not in shown
    assert place_of(example_of(shown), "") == place_of(number, "")
