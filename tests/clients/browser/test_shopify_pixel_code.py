"""Shopify's custom pixel, in a sandboxed frame as Shopify runs it, posts events that the collector understands."""

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storefronts.shopify_pixel import EVENTS
from tests.clients.browser.tabs import Tab, pages_of_shop
from tests.clients.chromium import Browser
from tests.support.collecting import PUBLIC, CollectorProcess, emptied, streamed
from tests.support.pages import ROOT
from tests.support.processes import until
from worker.supervision.embedded_valkey import EmbeddedValkey

PIXEL = ROOT / "deploy" / "shopify" / "pixel.js"
VARIANT = {
    "sku": "WH-1",
    "title": "Black",
    "price": {"amount": 149.9, "currencyCode": "COP"},
    "product": {"title": "Shoe"},
}
MONEY = {"amount": 149.9, "currencyCode": "COP"}
CART = {"id": "c1-abc", "cost": {"totalAmount": MONEY}, "lines": [{"quantity": 1, "merchandise": VARIANT}]}
ADDRESS = {
    "firstName": "Jane",
    "lastName": "Doe",
    "phone": "+573001234567",
    "countryCode": "CO",
    "address1": "Avenida 1",
}
CHECKOUT = {
    "token": "t-1",
    "currencyCode": "COP",
    "totalPrice": MONEY,
    "email": "jane.doe@example.com",
    "phone": "+573001234567",
    "shippingAddress": ADDRESS,
    "billingAddress": None,
    "lineItems": [{"title": "Shoe", "quantity": 1, "variant": VARIANT}],
    "localization": {"language": {"isoCode": "es-CO"}},
    "order": None,
}
STORY: list[dict[str, Any]] = [
    {"name": "page_viewed", "data": {}, "path": "/"},
    {"name": "cart_viewed", "data": {"cart": CART}, "path": "/cart"},
    {"name": "product_added_to_cart", "data": {"cartLine": None}, "path": "/cart"},
    {"name": "checkout_started", "data": {"checkout": CHECKOUT}, "path": "/checkouts/cn/c1-abc"},
    {"name": "payment_info_submitted", "data": {"checkout": CHECKOUT}, "path": "/checkouts/cn/c1-abc"},
    {
        "name": "checkout_completed",
        "data": {"checkout": CHECKOUT | {"order": {"id": "9"}}},
        "path": "/checkouts/cn/c1-abc",
    },
]
STUB = """
const started = Date.now() - 60000;
const analytics = { subscribe(name, run) {
  STORY.forEach((event, number) => event.name == name && run({
    ...event, id: "sh-" + number, clientId: "client-1", timestamp: new Date(started + 1000 * number).toISOString(),
    context: { document: { location: { pathname: event.path } } },
  }));
} };
"""


@pytest.fixture
def process(valkey: EmbeddedValkey, tmp_path: Path) -> Iterator[CollectorProcess]:
    with CollectorProcess(valkey.url, tmp_path) as started:
        yield started


def play(url: str, tmp_path: Path, code: str, least: int, valkey: EmbeddedValkey) -> list[dict[str, Any]]:
    """Run the pixel in a frame without an origin; return the events in the order of time."""
    code = code.replace("https://collect.example", url).replace('"PUBLIC_KEY"', f'"{PUBLIC}"')
    script = f"<script>const STORY = {json.dumps(STORY)};{STUB}{code}</script>"
    frame = f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(script)}"></iframe>'
    with emptied(valkey.url) as redis, pages_of_shop(lambda _: frame) as shop, Browser(tmp_path) as browser:
        Tab.opened(browser, f"{shop}/cart")
        until(lambda: redis.xlen("winback:events") >= least)
        return sorted(streamed(redis), key=lambda event: str(event["occurred_at"]))


def test_story_becomes_one_session_without_personal_data(
    valkey: EmbeddedValkey, process: CollectorProcess, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{process.port}"
    found = play(url, tmp_path, PIXEL.read_text(), len(STORY), valkey)
    assert [event.get("flow_stage", event["type"]) for event in found] == [
        "product_selection",
        "cart_review",
        "cart_review",
        "checkout",
        "payment",
        "order_completed",
    ]
    assert {event["session_id"] for event in found[1:]} <= {found[0]["session_id"], "c1-abc"}
    assert found[1]["cart"]["items"] == [{"name": "Shoe", "sku": "WH-1", "quantity": 1, "price": 149.9}]
    assert found[-1]["order_value"] == 149.9
    assert not [text for text in ("Jane", "3001234567", "jane.doe") if text in json.dumps(found)]


def test_customer_is_sent_if_the_shop_sets_it(
    valkey: EmbeddedValkey, process: CollectorProcess, tmp_path: Path
) -> None:
    url, code = f"http://127.0.0.1:{process.port}", PIXEL.read_text()
    assert "WITH_CUSTOMER = false" in code
    found = play(url, tmp_path, code.replace("WITH_CUSTOMER = false", "WITH_CUSTOMER = true"), len(STORY), valkey)
    customer = found[3]["customer"]
    assert (customer["full_name"], customer["phone_number"], customer["country_code"]) == (
        "Jane Doe",
        "+573001234567",
        "CO",
    )


def test_pixel_subscribes_to_all_events_of_the_source() -> None:
    code = PIXEL.read_text()
    listed = code[code.index("const EVENTS = ") : code.index("];")]
    assert json.loads(listed.partition("= ")[2].rstrip().rstrip(",") + "]") == list(EVENTS)
