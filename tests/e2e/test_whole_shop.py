"""The whole system with real processes: `winback up`, a real Valkey, the mock API, and external events."""

import json
import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.support.running_shop import (
    CART,
    CHECKOUT,
    LEASE,
    LOGIN,
    PERSONAL,
    THRESHOLD,
    Shop,
    jane,
    running_shop,
    until,
)

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(tmp_path_factory.mktemp("shop"), "", None, ()) as found:
        yield found


def test_silent_checkout_sends_exactly_one_request(shop: Shop) -> None:
    occurred = datetime.now(UTC).replace(microsecond=0)
    first = {
        "session_id": "sess_abc123xyz",
        "type": "activity",
        "occurred_at": (occurred - timedelta(milliseconds=100)).isoformat(),
        **CHECKOUT,
        "customer": jane(),
        "cart": CART,
        "engagement": {"preferred_channel": "auto", "metadata": {"utm_campaign": "spring_sale"}},
    }
    second = {
        "session_id": "sess_abc123xyz",
        "type": "activity",
        "occurred_at": occurred.isoformat(),
        **CHECKOUT,
        "engagement": {"metadata": {"last_clicked_button": "Proceed to Payment"}},
    }
    # One after the other, because metadata keeps the order of arrival.
    for event in (first, second):
        shop.redis.xadd("winback:events", {"event": json.dumps(event)})
        until(lambda: not shop.redis.xlen("winback:events"))
    request = until(lambda: shop.requests_for("sess_abc123xyz"))[0]
    moment = occurred.strftime("%Y-%m-%dT%H:%M:%SZ")
    expected = (
        '{"customer":{"full_name":"Jane Doe","phone_number":"+573001234567","email":"jane.doe@example.com",'
        '"country_code":"CO","language":"es"},"session":{"abandonment_timestamp":"' + moment + '",'
        '"flow_stage":"checkout","platform":"web","session_id":"sess_abc123xyz"},"cart":{"total_value":149.99,'
        '"currency":"COP","items":[{"name":"Wireless Headphones","sku":"WH-1000XM5","quantity":1,"price":149.99}]},'
        '"engagement":{"preferred_channel":"auto","reason":"user_abandoned_checkout",'
        '"metadata":{"utm_campaign":"spring_sale","last_clicked_button":"Proceed to Payment"}}}'
    )
    assert request["body_raw"] == expected
    assert request["valid"]
    assert request["status"] == 200
    until(lambda: shop.outcomes().get("sent") == 1)
    assert len(shop.requests_for("sess_abc123xyz")) == 1


def test_active_shopper_is_not_contacted_until_silent(shop: Shop) -> None:
    customer = jane(phone_number="+573001234501")
    began = monotonic()
    while monotonic() - began < 2 * THRESHOLD.total_seconds():
        shop.send("sess_busy", **CHECKOUT, customer=customer, cart=CART)
        assert not shop.requests_for("sess_busy")
        sleep(0.2)  # the shopper's own pace: the silence is under test
    until(lambda: shop.requests_for("sess_busy"))


def test_paying_shopper_is_never_contacted(shop: Shop) -> None:
    customer = jane(phone_number="+573001234502")
    shop.send("sess_paid", **CHECKOUT, customer=customer, cart=CART)
    shop.send("sess_paid", "order_completed", order_value=149.99, currency="COP")
    shop.send("sess_other_cart", **CHECKOUT, customer=customer, cart=CART)
    until(lambda: shop.outcomes().get("suppressed.bought_recently") == 1)
    assert not shop.requests_for("sess_paid")
    assert not shop.requests_for("sess_other_cart")


def test_shopper_with_two_carts_is_contacted_once(shop: Shop) -> None:
    # At the same moment, so that one sweep claims both: between two sweeps, the first would count as active elsewhere.
    cart: dict[str, Any] = {**CHECKOUT, "cart": CART, "occurred_at": datetime.now(UTC).isoformat()}
    customer = jane(phone_number="+573001234503")
    shop.send("sess_cart_1", **cart, customer=customer)
    shop.send("sess_cart_2", **cart, customer={**customer, "phone_number": "300 123 4503"})
    until(lambda: shop.outcomes().get("suppressed.contacted_recently") == 1, 4 * LEASE.total_seconds())
    assert len(shop.requests_for("sess_cart_1") + shop.requests_for("sess_cart_2")) == 1


def test_unreadable_cart_is_quarantined_and_the_rest_kept(shop: Shop) -> None:
    shop.send("sess_odd", **CHECKOUT, customer=jane(phone_number="+573001234504"), cart={"total_value": "a lot"})
    until(lambda: shop.requests_for("sess_odd"))
    rejected = shop.redis.xrange("winback:rejected")
    assert [entry[b"field"] for _, entry in rejected] == [b"cart.total_value"]


def test_worker_killed_during_send_causes_no_second_request(shop: Shop) -> None:
    shop.api.control(delay="30s", times=1)
    shop.send("sess_killed", **CHECKOUT, customer=jane(phone_number="+573001234505"), cart=CART)
    key = until(lambda: _sending(shop)) or b""
    os.kill(shop.pid_of("recover"), signal.SIGKILL)
    until(lambda: shop.redis.hget(key, "state") == b"unknown", 2 * LEASE.total_seconds())
    # A new worker has taken over and works.
    shop.send("sess_after", **CHECKOUT, customer=jane(phone_number="+573001234506"), cart=CART)
    until(lambda: shop.requests_for("sess_after"))
    assert len(shop.requests_for("sess_killed")) <= 1
    assert shop.redis.zcard(key.decode().split("outreach")[0] + "unknown") == 1


def test_order_after_a_contact_is_reported_once_with_its_value(shop: Shop) -> None:
    customer = jane(phone_number="+573001234507")
    shop.send("sess_won", flow_stage="payment", platform="ios", customer=customer, cart=CART)
    until(lambda: shop.requests_for("sess_won"))
    until(lambda: shop.report()["contacted"] == 1)
    # From the shop's other system, without the session; then its duplicate, then the browser's own.
    order = {"customer": {"phone_number": "+573001234507"}, "order_value": 1234.56, "currency": "COP"}
    for _ in range(2):
        event = {"type": "order_completed", "occurred_at": datetime.now(UTC).isoformat(), **order}
        shop.redis.xadd("winback:events", {"event": json.dumps(event)})
    shop.send("sess_won", "order_completed")
    until(lambda: not shop.redis.xlen("winback:events"))
    found = shop.report()
    assert found["recovered"] == {"orders": 1, "unpriced": 0, "revenue": {"COP": 1234.56}}
    assert (found["sessions"], found["silent"], found["contacted"], found["unknown"]) == (1, 1, 1, 0)


def test_flower_requires_a_login(shop: Shop) -> None:
    assert httpx.get(f"{shop.flower}/api/tasks", trust_env=False).status_code == 401
    assert httpx.get(f"{shop.flower}/", trust_env=False).status_code == 401

    def tasks() -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{shop.flower}/api/tasks", auth=LOGIN, trust_env=False).json()
        return found

    sent = until(lambda: [t for t in tasks().values() if "'outcome': 'sent'" in (t["result"] or "")])
    assert sent[0]["name"] == "winback.recover"
    assert re.fullmatch(r"\('\d\d-[0-9a-f]{16}',\)", sent[0]["args"])
    # Hundreds of sweeps have run by now, and none of them is listed.
    assert {task["name"] for task in tasks().values()} == {"winback.recover"}


def test_nothing_personal_is_in_the_broker_the_logs_or_flower(shop: Shop) -> None:
    assert "attempt" in shop.log.read_text()
    places = {"log": shop.log.read_text(), "api print": shop.api.printed()}
    for path in ("/api/tasks", "/tasks", "/workers", "/api/workers"):
        places[path] = httpx.get(shop.flower + path, auth=LOGIN, trust_env=False, follow_redirects=True).text
    places |= {place: content.decode(errors="replace") for place, content in shop.broker().items()}
    found = [(place, text) for place, content in places.items() for text in PERSONAL if text in content]
    assert found == []


def _sending(shop: Shop) -> bytes | None:
    for key in shop.redis.scan_iter("winback:{*}:outreach:*"):
        if shop.redis.hmget(key, "session", "state") == [b"sess_killed", b"sending"]:
            return bytes(key)
    return None
