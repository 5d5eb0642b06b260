"""A collector reports the last request of each source, and why requests were refused, without personal data."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from state.deliveries import DELIVERIES_TTL_MS, Deliveries, Delivery
from tests.support.cli_support import make_healthy, read
from tests.support.collecting import BY_PUBLIC, BY_SERVER, EVENT, collector, emptied, post
from tests.support.processes import until
from worker.collector.deliveries import MOST_SOURCES, described
from worker.collector.deliveries import Deliveries as Noted
from worker.collector.process import Collector
from worker.collector.source import Reading
from worker.monitoring import health
from worker.monitoring.finding import Finding
from worker.runtime import State
from worker.settings import Settings
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

SECRET = "secret-of-the-shop"
CART = json.dumps({"id": "c-1", "token": "c-1", "line_items": []}).encode()
SIGNED = base64.b64encode(hmac.digest(SECRET.encode(), CART, hashlib.sha256)).decode()
WRONG = {"x-shopify-hmac-sha256": "d3Jvbmc=", "x-shopify-topic": "carts/update"}


@pytest.fixture
def found(valkey: EmbeddedValkey, tmp_path: Path) -> Iterator[Collector]:
    shop = {"shop-a": [SECRET]}
    with (
        emptied(valkey.url),
        collector(
            valkey.url, tmp_path / "spool", shopify=shop, standard_webhooks_secrets=["whsec_MfKQ9r8G"]
        ) as started,
    ):
        yield started


def reported(state: State, source: str) -> Delivery:
    """Return what is reported of a source, when that has happened."""

    def one() -> Delivery | None:
        found = Deliveries(state.scripts, state.keys).read()
        return next((delivery for delivery in found if delivery.source == source), None)

    until(lambda: one() is not None)
    delivery = one()
    assert delivery is not None
    return delivery


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (("/shopify/shop-a", {"x-shopify-topic": "carts/update"}, CART), ("shopify/shop-a", "no_signature")),
        (("/shopify/shop-a", WRONG, CART), ("shopify/shop-a", "wrong_signature")),
        (("/shopify/shop-z", WRONG, CART), ("shopify", "unknown_shop")),
        (("/yuno", {"x-hmac-signature": "d3Jvbmc="}, b"{}"), ("yuno", "no_secret")),
        (
            ("/standard-webhooks", {"webhook-signature": "v1,eA==", "webhook-id": "1"}, b"{}"),
            ("standard-webhooks", "old_signature"),
        ),
        (("/events", {}, b"{}"), ("events", "no_key")),
        (("/events", {"authorization": "Bearer wrong"}, b"{}"), ("events", "unknown_key")),
        (("/v1/track", {}, b'{"writeKey": "wrong"}'), ("segment", "unknown_key")),
        (("/shopify-pixel/shop-a?writeKey=wrong", {}, b"{}"), ("shopify-pixel/shop-a", "unknown_key")),
        (("/shopify-pixel/shop-z?writeKey=wrong", {}, b"{}"), ("shopify-pixel", "unknown_key")),
        (("/events", BY_SERVER, b"{"), ("events", "unreadable")),
    ],
)
def test_refused_request_is_reported_with_its_cause(
    found: Collector, real_state: State, request_: tuple[str, Mapping[str, str], bytes], expected: tuple[str, str]
) -> None:
    path, headers, body = request_
    source, cause = expected
    answer = post(found.app, body, headers, path=path)
    assert answer.status in {400, 401}
    assert ("signature" in answer.json["message"]) is (cause not in {"no_key", "unknown_key", "unreadable"})
    delivery = reported(real_state, source)
    assert (delivery.cause, delivery.refusals, delivery.accepted_ms) == (cause, 1, None)


@pytest.mark.parametrize(
    ("topic", "became"),
    [("carts/update", "1 activity"), ("products/update", "nothing: is of a topic that means nothing to Winback")],
)
def test_accepted_webhook_is_reported_with_its_result(
    found: Collector, real_state: State, topic: str, became: str
) -> None:
    headers = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": SIGNED}
    assert post(found.app, CART, headers, path="/shopify/shop-a").status == 200
    assert reported(real_state, "shopify/shop-a").became == became


def test_pixel_with_a_public_key_is_accepted(found: Collector, real_state: State) -> None:
    page = {"id": "sh-1", "name": "cart_viewed", "clientId": "client-1", "data": {"cart": {"id": "c-1", "lines": []}}}
    assert post(found.app, json.dumps(page).encode(), BY_PUBLIC, path="/shopify-pixel/shop-a").status == 200
    assert reported(real_state, "shopify-pixel/shop-a").became == "1 activity"


def test_description_holds_no_personal_data() -> None:
    events: list[Any] = [EVENT, EVENT | {"type": "Jane called +573001234567"}]
    assert described(Reading(events)) == "1 activity, 1 event"
    assert described(Reading(events[:1], ["isn't valid JSON"] * 3)) == (
        "1 activity; ignored: isn't valid JSON, and 2 more"
    )
    assert described(Reading(())) == "nothing"


def test_number_of_sources_is_bounded() -> None:
    noted = Noted()
    for number in range(MOST_SOURCES + 5):
        noted.accepted(str(number), Reading([EVENT]))
        noted.refused(str(number), "no_key")
    assert len(noted.take()) == MOST_SOURCES
    assert noted.take() == []


def findings(state: State, **fields: str) -> list[Finding]:
    for field, text in fields.items():
        state.scripts.client.hset(state.keys.deliveries, f"yuno {field}", text)
    state.scripts.client.pexpire(state.keys.deliveries, DELIVERIES_TTL_MS)
    return [one for one in health.findings(read(state), Settings()) if one.name == "deliveries"]


def test_refusals_without_an_accepted_request_are_a_warning(real_state: State) -> None:
    make_healthy(real_state)
    now = real_state.streams.watermark().now_ms
    (finding,) = findings(real_state, refused=f"{now} {now - 60_000} 12 wrong_signature")
    assert finding.mark == "warn"
    assert "yuno: requests refused 12 times since" in finding.text
    assert "none was ever accepted" in finding.text
    assert "the signature in x-hmac-signature doesn't match a secret in collect.yuno_secrets" in finding.text
    assert finding.hint.startswith("usual cause: ")


def test_refusals_next_to_accepted_requests_are_a_note(real_state: State) -> None:
    make_healthy(real_state)
    now = real_state.streams.watermark().now_ms
    (finding,) = findings(real_state, refused=f"{now} {now - 60_000} 1 no_key", accepted=f"{now} 1 activity")
    assert (finding.mark, "refused once" in finding.text) == ("note", True)


def test_old_refusals_are_no_finding(real_state: State) -> None:
    make_healthy(real_state)
    past = real_state.streams.watermark().now_ms - 2 * 86_400_000
    assert findings(real_state, refused=f"{past} {past} 12 wrong_signature") == []
