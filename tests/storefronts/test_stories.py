"""Requests of one shopper, applied to sessions: an outreach follows, or none."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, NamedTuple

import pytest

from detectors.session_fields import was_emptied
from tests.support.events import happen
from tests.support.outreaches import sweep
from tests.support.stored_state import now_ms, stored
from tests.support.storefront_bodies import become, sample
from worker.runtime import State

MINUTES = 60
CHECKOUT: dict[str, Any] = {**sample("shopify_checkouts")["checkouts"][0], "phone": "+573001234567"}
ORDER: dict[str, Any] = sample("shopify_order")["order"]
WOO: dict[str, Any] = {**sample("woocommerce_order"), "created_via": "checkout", "date_paid_gmt": None}
WOO["billing"] = {**WOO["billing"], "phone": "+573001234567", "country": "CO"}


class Step(NamedTuple):
    """A request, and how many minutes ago it happened and arrived."""

    source: str
    topic: str
    body: dict[str, Any]
    ago: int

    def play(self, state: State) -> None:
        at = datetime.fromtimestamp(now_ms(state) / 1000 - self.ago * MINUTES, UTC)
        iso = at.isoformat()
        times = dict.fromkeys(("updated_at", "created_at"), iso) | {"timestamp": iso}
        times["date_modified_gmt"] = (at.replace(tzinfo=None) - timedelta(microseconds=at.microsecond)).isoformat()
        for event in become(self.source, {**self.body, **times}, topic=self.topic, received=at).events:
            happen(state, event, ago_ms=self.ago * MINUTES * 1000)


def shopify(topic: str, body: dict[str, Any], ago: int) -> Step:
    return Step("shopify", topic, body, ago)


def woocommerce(ago: int, **fields: object) -> Step:
    return Step("woocommerce", "order.updated", {**WOO, **fields}, ago)


def segment(name: str, ago: int, **properties: object) -> Step:
    person = {"traits": {"name": "Jane Doe", "phone": "+573001234567"}}
    body = {"type": "track", "event": name, "anonymousId": "a", "properties": properties, "context": person}
    return Step("segment", "", body, ago)


CART = {"token": CHECKOUT["cart_token"], "line_items": CHECKOUT["line_items"]}
ABANDONED = {
    "shopify": [shopify("carts/update", CART, 62), shopify("checkouts/update", CHECKOUT, 60)],
    "woocommerce, draft": [woocommerce(60, status="checkout-draft")],
    "segment": [
        segment("Cart Viewed", 62, cart_id="c-1", products=[{"name": "Shirt", "price": 10, "quantity": 1}]),
        segment("Checkout Step Viewed", 60, cart_id="c-1", checkout_id="co-1"),
    ],
}
KEPT = {
    "shopify, paid": [*ABANDONED["shopify"], shopify("orders/paid", {**ORDER, "financial_status": "paid"}, 59)],
    "shopify, created": [
        *ABANDONED["shopify"],
        shopify("orders/create", {**ORDER, "financial_status": "authorized"}, 59),
    ],
    "shopify, completed": [*ABANDONED["shopify"], shopify("checkouts/update", {**CHECKOUT, "completed_at": True}, 59)],
    "shopify, back": [*ABANDONED["shopify"], shopify("checkouts/update", CHECKOUT, 0)],
    "woocommerce, paid": [*ABANDONED["woocommerce, draft"], woocommerce(59, status="processing")],
    "woocommerce, shipped": [*ABANDONED["woocommerce, draft"], woocommerce(59, status="shipped")],
    "segment, ordered": [*ABANDONED["segment"], segment("Order Completed", 59, checkout_id="c-1", order_id=7)],
}
EMPTIED = {
    "shopify": (CART["token"], shopify("carts/update", {**CART, "line_items": []}, 59)),
    "segment": ("c-1", segment("Cart Viewed", 59, cart_id="c-1", products=[])),
}


@pytest.mark.parametrize("story", ABANDONED)
def test_abandoned_cart_becomes_an_outreach(state: State, story: str) -> None:
    for step in ABANDONED[story]:
        step.play(state)
    assert sweep(state) == 1


@pytest.mark.parametrize("story", KEPT)
def test_order_or_return_leaves_no_outreach(state: State, story: str) -> None:
    for step in KEPT[story]:
        step.play(state)
    assert sweep(state) == 0


@pytest.mark.parametrize("story", [story for story in KEPT if not story.endswith("back")])
def test_requests_in_any_order_leave_no_outreach(state: State, story: str) -> None:
    for steps in permutations(KEPT[story]):
        state.client.flushall()
        for step in (*steps, *steps):
            step.play(state)
        assert sweep(state) == 0


@pytest.mark.parametrize("story", EMPTIED)
def test_emptied_cart_is_known_in_any_order(state: State, story: str) -> None:
    session, emptied = EMPTIED[story]
    for steps in permutations([*ABANDONED[story], emptied]):
        state.client.flushall()
        for step in steps:
            step.play(state)
        assert was_emptied(stored(state, session).fields)
