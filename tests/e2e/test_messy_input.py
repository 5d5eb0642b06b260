"""Messy input end to end: real shops' events against real processes, two of each kind.

All stories run at once in one shop. If a story has several events, each is sent after the one before is applied.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.running_shop import CART, CHECKOUT, Shop, running_shop, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]

SETTLED_S = 20.0
"""Longer than threshold, sweep, lease of a competing outreach and request together."""
ALLOWED = {"call": True, "whatsapp": True}


@dataclass(frozen=True)
class Story:
    """Events in order of arrival, and the number of requests that they cause."""

    kind: str
    name: str
    events: Sequence[dict[str, Any]]
    requests: int
    body: dict[str, Any] = field(default_factory=dict)
    """Values of the first request, by dotted path; None: the field must be missing."""
    outcome: str = ""
    """The outcome that `winback explain` must give for the first session, or for `explained`."""
    explained: str = ""


def visit(session: object, phone: str | int | None, country: str | None = "CO", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of an event
    """Return an activity at checkout by a shopper who can be contacted."""
    who = {"full_name": "Ana Prueba", "phone_number": phone, "country_code": country, "consent": ALLOWED}
    customer = {name: value for name, value in {**who, **more.pop("customer", {})}.items() if value is not None}
    return {"session_id": session, "type": "activity", **CHECKOUT, "customer": customer, "cart": CART, **more}


STORIES = [
    Story("plan", "br-00", [visit("plan-br", "0055 11 91234-5678", "BR")], 1,
          {"customer.phone_number": "+5511912345678"}),
    Story("plan", "mx-045", [visit("plan-mx", "045 33 1234 5678", "MX")], 1,
          {"customer.phone_number": "+523312345678"}),
    Story("spelling", "ar-opt-out", [
        {"type": "opt_out", "customer": {"phone_number": "011 15-4321-9876", "country_code": "AR"}},
        visit("spelling-ar", "+54 9 11 4321 9876", "AR"),
    ], 0, outcome="opted_out"),
    Story("spelling", "br-twice", [
        visit("spelling-br-1", "+55 (021) 98765-0001", "BR"),
        visit("spelling-br-2", "021 8765 0001", "BR"),
    ], 1),
    Story("number", "toll-free", [visit("number-co", "01 8000 912345", "CO")], 0, outcome="invalid_contact"),
    Story("number", "premium", [visit("number-gb", "+44 909 879 0123", "GB")], 0, outcome="invalid_contact"),
    Story("country", "missing", [visit("country-none", "+51 912 345 670", None)], 1, {"customer.country_code": "PE"}),
    Story("country", "words", [visit("country-words", "33 1234 5679", "  MÉXICO ")], 1,
          {"customer.country_code": "MX", "customer.phone_number": "+523312345679"}),
    Story("words", "entities", [
        visit("words-html", "+573001230001", customer={"full_name": "Mar&iacute;a &amp; Jos&#233;"}),
    ], 1, {"customer.full_name": "María & José"}),
    Story("words", "language", [visit("words-lang", "+573001230002", customer={"language": "co"})], 1,
          {"customer.language": None}),
    Story("form", "order", [
        visit("778899", "+573001230003"),
        {"type": "Order Completed", "session_id": 778899, "order_value": "149.900", "currency": "COP", "cart": []},
    ], 0, outcome="bought"),
    Story("form", "refusal", [visit("form-refusal", "+573001230004", customer={"consent": "revoked"})], 0,
          outcome="no_consent"),
    Story("session", "order-names-cart", [
        visit("session-cart", "+573001230005"),
        {"type": "order_completed", "session_id": "order-991", "cart_token": "session-cart"},
    ], 0, outcome="bought"),
    Story("session", "order-by-e-mail", [
        visit("session-mail", "+573001230006", customer={"email": "Ana.Mail@Example.com"}),
        {"type": "order_completed", "customer": {"email": " ana.mail@example.COM "}},
    ], 0, outcome="bought_recently"),
    Story("session", "order-of-previous", [
        visit("session-before", "+573001230007"),
        {"type": "order_completed", "session_id": "session-after", "previous_session_id": "session-before"},
    ], 0, outcome="bought"),
    Story("consent", "null-is-no-yes", [
        visit("consent-null", "+573001230008", customer={"consent": {"call": False, "whatsapp": False}}),
        visit("consent-null", "+573001230008", customer={"consent": None}, occurred_at="{now}"),
    ], 0, outcome="no_consent"),
    Story("consent", "of-the-person", [
        visit("consent-first", "+573001230009", customer={"consent": {"call": False, "whatsapp": False}}),
        {**visit("consent-other", "300 123 0009"), "customer":
            {"full_name": "Ana Prueba", "phone_number": "300 123 0009", "country_code": "CO"}},
        # The first one can end before this one's silence is noticed, because the shopper is active here.
    ], 0, outcome="no_consent", explained="consent-other"),
    Story("clock", "order-without-zone", [
        visit("clock-order", "+573001230010"),
        {"type": "order_completed", "session_id": "clock-order", "occurred_at": "{naive-5h}"},
    ], 0, outcome="bought"),
    Story("clock", "two-readings", [
        visit("clock-digits", "+573001230011"),
        {"type": "order_completed", "session_id": "clock-digits", "occurred_at": "{digits-6h}"},
    ], 0, outcome="bought"),
    Story("money", "cop", [visit("money-cop", "+573001230012", cart={"total_value": "89.900", "currency": "COP"})], 1,
          {"cart.total_value": 89900}),
    Story("money", "discount", [visit("money-eur", "+34 612 34 56 78", "ES", cart={
        "total_value": "1.299,50", "currency": "EUR",
        "items": [{"name": "Sofá", "quantity": "1", "price": 1399.5}, {"name": "Cupón", "quantity": 1, "price": -100}],
    })], 1, {"cart.total_value": 1299.5, "cart.items.1.price": -100}),
    Story("bot", "crawler", [
        visit("bot-crawler", "+573001230013", customer={"email": "check-1@storebotmail.joonix.net"}),
    ], 0, outcome="bot"),
    Story("bot", "staff", [
        visit("bot-staff", "+573001230014", customer={"email": "pruebas@sub.tienda-propia.example"}),
    ], 0, outcome="internal"),
]  # fmt: skip


def at_path(body: Any, path: str) -> object:  # noqa: ANN401 - any JSON
    for part in path.split("."):
        body = body[int(part)] if isinstance(body, list) else body.get(part) if isinstance(body, dict) else None
    return body


def moment(text: str) -> str:
    now = datetime.now(UTC)
    forms = {
        "{now}": now.isoformat(),
        "{naive-5h}": (now - timedelta(hours=5)).replace(tzinfo=None).isoformat(),
        "{digits-6h}": (now - timedelta(hours=6)).strftime("%Y%m%d%H%M%SZ"),
    }
    return forms.get(text, text)


def publish(shop: Shop, event: dict[str, Any]) -> None:
    made = dict(event)
    if "occurred_at" in made:
        made["occurred_at"] = moment(made["occurred_at"])
    shop.redis.xadd("winback:events", {"event": json.dumps(made)})


def tell(shop: Shop, stories: Sequence[Story]) -> None:
    """Send the first event of each story, then the second; each round starts after the one before is applied."""
    for turn in range(max(len(story.events) for story in stories)):
        for story in stories:
            if turn < len(story.events):
                publish(shop, story.events[turn])
        until(lambda: not shop.redis.xlen("winback:events"))


def requests_of(shop: Shop, story: Story) -> list[dict[str, Any]]:
    sessions = {str(event["session_id"]) for event in story.events if event.get("session_id") is not None}
    return [found for session in sorted(sessions) for found in shop.requests_for(session)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    settings = {
        "WINBACK_CONTACT__LAW": "off",
        "WINBACK_CONTACT__BLOCK__INTERNAL_DOMAINS": "tienda-propia.example",
        "WINBACK_DELIVERY__RATE": "1000/s",
    }
    with running_shop(tmp_path_factory.mktemp("messy"), **settings) as shop:
        tell(shop, STORIES)
        deadline = monotonic() + SETTLED_S
        wanted = sum(story.requests for story in STORIES)
        while monotonic() < deadline and len(shop.api.requests()) < wanted:
            sleep(0.1)
        # Sessions that must not be contacted have ended by now, too: their lanes, outreaches and retries are empty.
        until(lambda: not list(shop.redis.scan_iter("winback:{*}:lane:*")), SETTLED_S)
        until(lambda: not list(shop.redis.scan_iter("winback:{*}:due")), 2 * SETTLED_S)
        until(lambda: not list(shop.redis.scan_iter("winback:{*}:leased")), 2 * SETTLED_S)
        yield shop


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.kind}-{story.name}")
def test_messy_input_contacts_the_right_person_or_none(told: Shop, story: Story) -> None:
    found = requests_of(told, story)
    assert len(found) == story.requests, [request["body"] for request in found]
    for path, value in story.body.items():
        assert at_path(found[0]["body"], path) == value
    if story.outcome:
        first = next(str(e["session_id"]) for e in story.events if e.get("session_id") is not None)
        session = story.explained or first
        assert story.outcome in told.cli("explain", session)


def test_messy_orders_and_refusals_are_never_rejected_whole(told: Shop) -> None:
    rejected = [entry for _, entry in told.redis.xrange("winback:rejected")]
    assert [entry for entry in rejected if entry[b"applied"] != b"1"] == []


# Zones and law need their own hours


def clock_in(zone: str, minutes: int) -> str:
    return (datetime.now(ZoneInfo(zone)) + timedelta(minutes=minutes)).strftime("%H:%M")


@pytest.mark.parametrize(
    ("zone", "phone", "country", "customer"),
    [
        ("America/Punta_Arenas", "+56 61 2 212345", "CL", {}),
        pytest.param(
            *("America/New_York", "+14155552671", "US", {"time_zone": "America/New_York"}), marks=pytest.mark.extended
        ),
    ],
)
def test_quiet_hours_hold_in_every_zone_of_the_person(
    tmp_path: Path, zone: str, phone: str, country: str, customer: dict[str, Any]
) -> None:
    quiet = f"{clock_in(zone, -20)}-{clock_in(zone, 30)}"
    with running_shop(tmp_path, WINBACK_CONTACT__QUIET_HOURS=quiet, WINBACK_CONTACT__LAW="off") as shop:
        publish(shop, visit("zone", phone, country, customer=customer))
        until(lambda: "quiet_hours" in shop.cli("explain", "zone", code=None))
        assert not shop.api.requests()


@pytest.mark.extended
def test_a_holiday_closes_the_law_window_of_one_country(tmp_path: Path) -> None:
    today = datetime.now(ZoneInfo("America/Bogota")).date().isoformat()
    with running_shop(tmp_path, WINBACK_CONTACT__HOLIDAYS=f"CO:{today}", WINBACK_CONTACT__LAW_OFF="MX") as shop:
        publish(shop, visit("law-co", "+573001230015"))
        publish(shop, visit("law-mx", "+52 33 1234 5670", "MX"))
        until(lambda: shop.requests_for("law-mx"))
        until(lambda: "postponed" in shop.cli("explain", "law-co"))
        assert "law_CO" in shop.cli("explain", "law-co") or "holiday" in shop.cli("explain", "law-co")
        assert not shop.requests_for("law-co")
