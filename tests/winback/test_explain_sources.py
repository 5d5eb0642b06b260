"""`winback explain` names the source of each line."""

import json
import re

import pytest

from detectors.parsing import parse
from detectors.session_fields import fields_of, sources_of
from tasks.delivery.payload import build
from tests.support.decision_support import Shop
from tests.support.durations import MINUTE_MS, SECOND_MS
from tests.support.events import JANE, event, happen
from tests.support.explaining import shop, told

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")
CART = {"total_value": 9, "currency": "COP", "items": [{"name": "Shoe", "price": 9}]}
STORY = [
    (event(stage="cart_review", cart=CART, source="segment"), 5),
    (event(stage="cart_review"), 4),
    (event(customer=JANE, source="shopify/shop-a"), 3),
    (event("payment_declined", stage=None, source="yuno"), 2),
]


def line(shown: str, start: str) -> str:
    return next(text.strip() for text in shown.splitlines() if text.startswith(start))


@pytest.mark.parametrize("turned", [False, True])
def test_each_line_names_its_source(shop: Shop, *, turned: bool) -> None:
    for made, minutes in reversed(STORY) if turned else STORY:
        happen(shop.state, made, ago_ms=minutes * MINUTE_MS)
    shown = shop.run("explain", "s-1")
    assert re.search(r"^stages +cart_review.web from .*  \(segment\) *$", shown, re.MULTILINE)
    assert re.search(r"^ +checkout.web at .*  \(shopify/shop-a\) *$", shown, re.MULTILINE)
    assert line(shown, "signal").endswith("  (yuno)")
    assert line(shown, "customer").endswith("  (shopify/shop-a)")
    assert line(shown, "cart").endswith("  (segment)")
    happen(shop.state, event("order_completed", stage=None, source="woocommerce/b"), ago_ms=SECOND_MS)
    assert line(shop.run("explain", "s-1"), "purchase").endswith("  (woocommerce/b)")
    assert told(shop)["session"]["sources"] == {
        "cart": "segment",
        "cart_review.web": "segment",
        "checkout.web": "shopify/shop-a",
        "customer": "shopify/shop-a",
        "order_completed": "woocommerce/b",
        "payment_declined": "yuno",
    }


def test_lines_without_a_source_name_none(shop: Shop) -> None:
    happen(shop.state, event(customer=JANE, cart=CART))
    assert told(shop)["session"]["sources"] == {}
    assert "(" not in line(shop.run("explain", "s-1"), "customer")


@pytest.mark.parametrize(
    "odd", ["", "Yuno", "a b", "jane@example.com", "+573001234567", "573001234567", "a/b/c", "x" * 99, 7, {}, [], None]
)
def test_odd_source_is_left_out_without_a_problem(odd: object) -> None:
    parsed = parse(json.dumps(event(source=odd)).encode())
    assert parsed.event is not None
    assert (parsed.problems, sources_of(fields_of(parsed.event))) == ((), {})


def test_source_does_not_reach_the_request() -> None:
    def built(**more: str) -> object:
        parsed = parse(json.dumps(event(customer=JANE, cart=CART, **more)).encode()).event
        assert parsed is not None
        return build(
            fields_of(parsed), session_id="s", stage="checkout", platform="web", abandoned_ms=MINUTE_MS, reason="idle"
        )

    assert built(source="segment") == built()
