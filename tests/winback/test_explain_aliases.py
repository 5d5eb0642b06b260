"""`winback explain` of a session by the id of its cart, checkout or order."""

import json

import pytest
from pydantic_core import from_json

from state.visitors import Visitors
from storefronts.results import Alias, Translated, Visitor, VisitorId
from tests.support.decision_support import Shop
from tests.support.events import event, happen
from tests.support.explaining import shop, told
from tests.support.states import SECRET
from tests.support.storefront_bodies import RECEIVED
from worker.collector.visits import Placing, unplaced

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")
CART = Alias("cart", "cart-1")
SHOPS = json.dumps({"shop-a": ["secret-of-a"], "shop-b": ["secret-of-b"]})


def visit(shop: Shop, name: str, *aliases: Alias, scope: str = "") -> str:
    """Let the collector place an event, and apply it; return its session."""
    visitor = Visitor((VisitorId("anonymous", name),), aliases)
    placing = Placing(Visitors(shop.state.scripts, shop.state.keys, SECRET))
    part = Translated(event(session=None), visitor=visitor, session_by="visitor")
    (line,) = placing.events([unplaced(part, scope, RECEIVED).line()])
    placed = from_json(line)
    happen(shop.state, placed)
    return str(placed["session_id"])


@pytest.mark.parametrize("asked", ["A-17", "checkout-9", " A-17 "])
def test_session_is_found_by_each_id(shop: Shop, asked: str) -> None:
    session = visit(shop, "anonymous-1", CART, Alias("checkout", "checkout-9"), Alias("order", "A-17"))
    assert visit(shop, "anonymous-2", Alias("order", "A-18")) != session
    story = told(shop, asked)
    assert story["session"]["session"] == session
    assert story["found_by"] == asked.strip()


def test_number_of_an_order_is_named_as_one(shop: Shop) -> None:
    session = visit(shop, "anonymous-1", Alias("checkout", "checkout-9"), Alias("order", "17"))
    assert told(shop, "17")["session"]["session"] == session
    assert shop.run("explain", "17").startswith("found by  order 17\n")


def test_number_of_a_cart_and_of_an_order_are_listed(shop: Shop) -> None:
    cart, order = (visit(shop, kind, Alias("checkout", f"of-{kind}"), Alias(kind, "17")) for kind in ("cart", "order"))
    shown = shop.run("explain", "17", code=2)
    assert f"\n  {cart} (cart 17)\n  {order} (order 17)" in shown


def test_session_wins_over_an_id(shop: Shop) -> None:
    visit(shop, "anonymous-1", Alias("checkout", "checkout-9"), Alias("order", "s-1"))
    happen(shop.state, event())
    story = told(shop, "s-1")
    assert (story["session"]["session"], "found_by" in story) == ("s-1", False)


def test_ids_of_two_shops_are_not_mixed(shop: Shop) -> None:
    shop.env["WINBACK_COLLECT__SHOPIFY"] = SHOPS
    first, second = (
        visit(
            shop,
            "anonymous-1",
            Alias("cart", f"cart-of-{name}"),
            Alias("order", "17"),
            Alias("checkout", name),
            scope=name,
        )
        for name in ("shop-a", "shop-b")
    )
    assert first != second
    shown = shop.run("explain", "17", code=2)
    assert f"  {first} (order 17 of shop-a)\n  {second} (order 17 of shop-b)" in shown
    assert shop.run("explain", "shop-b").startswith("found by  shop-b of shop-b\n")


def test_unknown_id_has_the_reasons(shop: Shop) -> None:
    visit(shop, "anonymous-1", Alias("order", "A-17"))
    assert "session 'A-18' is not known" in shop.run("explain", "A-18", code=2)


def test_without_the_identity_secret_no_id_is_found(shop: Shop) -> None:
    visit(shop, "anonymous-1", Alias("checkout", "checkout-9"), Alias("order", "A-17"))
    del shop.env["WINBACK_IDENTITY_SECRET"]
    assert "session 'A-17' is not known" in shop.run("explain", "A-17", code=2)
