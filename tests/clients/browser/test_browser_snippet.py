"""The browser snippet in a headless Chromium: what a shopper does, and the events that follow."""

import re

import pytest

from tests.clients.browser.snippet_shop import LATER, Shop
from tests.support.processes import until


def test_pages_are_stages_of_one_session(shop: Shop) -> None:
    tab = shop.open("/")
    assert shop.kinds() == ["product_selection"]
    for path, stage in (("cart", "cart_review"), ("checkout", "checkout"), ("checkout-pay", "payment")):
        tab.click(f"#to-{path}")
        (event,) = shop.events()
        assert (event["flow_stage"], event["platform"]) == (stage, "web")
    first = tab.evaluate("winback.session()")
    assert first == event["session_id"]
    assert re.fullmatch(r"wb(-[0-9]{1,10}){4}", first)


def test_only_these_fields_are_sent(shop: Shop) -> None:
    shop.open("/cart?email=jane.doe@example.com&phone=3001234567")
    (event,) = shop.events()
    assert event.keys() == {"session_id", "type", "occurred_at", "flow_stage", "platform"}


def test_navigation_in_the_shop_is_no_exit(shop: Shop) -> None:
    tab = shop.open("/cart")
    shop.events()
    tab.click("#to-checkout")
    assert shop.kinds() == ["checkout"]


def test_closed_tab_is_an_exit(shop: Shop) -> None:
    tab = shop.open("/checkout")
    session = shop.events()[0]["session_id"]
    tab.close()
    (event,) = shop.events()
    assert event.keys() == {"session_id", "type", "occurred_at"}
    assert (event["type"], event["session_id"]) == ("exit", session)


def test_closed_tab_after_silence_is_only_an_exit(shop: Shop) -> None:
    tab = shop.open("/checkout")
    shop.events()
    tab.evaluate(LATER.format(5))
    tab.close()
    assert shop.kinds()[-1] == "exit"


def test_tab_closed_soon_after_a_click_is_no_exit(shop: Shop) -> None:
    tab = shop.open("/checkout")
    shop.events()
    tab.click("#b")
    tab.close()
    assert shop.kinds(0) == []


def test_killed_tab_reports_nothing_and_session_goes_on(shop: Shop) -> None:
    tab = shop.open("/checkout")
    (event,) = shop.events()
    tab.kill()
    assert shop.kinds(0) == []
    shop.open("/cart")
    assert shop.events()[0]["session_id"] == event["session_id"]


@pytest.mark.parametrize("path", ["/cart", "/help"])
def test_address_written_by_hand_ends_in_activity(shop: Shop, path: str) -> None:
    tab = shop.open("/checkout")
    shop.events()
    tab.goto(shop.url + path)
    *_, last = shop.events()
    assert last["type"] == "activity"
    assert last["flow_stage"] == ("cart_review" if path == "/cart" else "checkout")


def test_back_button_ends_in_activity_of_the_page_shown(shop: Shop) -> None:
    tab = shop.open("/cart")
    tab.click("#to-checkout")
    shop.events(2)
    tab.back()
    assert shop.kinds()[-1] == "cart_review"


def test_page_from_the_cache_reports_activity(shop: Shop) -> None:
    tab = shop.open("/cart")
    tab.evaluate("addEventListener('pageshow', (event) => (window.wasCached = event.persisted))")
    tab.goto(shop.url.replace("127.0.0.1", "localhost") + "/help")
    shop.events(2)
    tab.back()
    until(lambda: tab.evaluate("location.pathname") == "/cart")
    *_, last = shop.events()
    assert (last["type"], last["flow_stage"]) == ("activity", "cart_review")
    assert tab.evaluate("window.wasCached") is True


def test_other_open_tab_contradicts_an_exit(shop: Shop) -> None:
    shop.open("/")
    shop.events()
    other = shop.open("/checkout")
    shop.events()
    other.close()
    *_, exit_event, last = shop.events(2)
    assert [exit_event["type"], last["type"], last["flow_stage"]] == ["exit", "activity", "checkout"]
    assert exit_event["occurred_at"] < last["occurred_at"]
    assert exit_event["session_id"] == last["session_id"]


def test_interaction_after_a_minute_is_activity_once(shop: Shop) -> None:
    tab = shop.open("/checkout")
    shop.events()
    tab.move(10)
    tab.move(20)
    assert shop.kinds(0) == []
    tab.evaluate(LATER.format(2))
    for x in (30, 40, 50):
        tab.move(x)
    assert shop.kinds() == ["checkout"]


def test_address_changed_by_script_is_a_stage(shop: Shop) -> None:
    tab = shop.open("/")
    shop.events()
    tab.evaluate("history.pushState({}, '', '/cart')")
    tab.evaluate("history.replaceState({}, '', '/cart#top')")
    assert shop.kinds() == ["cart_review"]
    tab.evaluate("history.back()")
    assert shop.kinds() == ["product_selection"]


def test_page_without_a_stage_begins_no_session(shop: Shop) -> None:
    tab = shop.open("/help")
    assert shop.kinds(0) == []
    assert tab.evaluate("localStorage.length") == 0


def test_last_page_is_an_order_and_ends_the_session(shop: Shop) -> None:
    tab = shop.open("/checkout")
    session = shop.events()[0]["session_id"]
    tab.click("#to-thanks")
    (order,) = shop.events()
    assert (order["type"], order["session_id"], order.get("order_value")) == ("order_completed", session, None)
    tab.evaluate(LATER.format(5))
    tab.close()
    assert shop.kinds(0) == []
    shop.open("/")
    assert shop.events()[0]["session_id"] != session


def test_cart_continues_the_session_under_its_own_id(shop: Shop) -> None:
    tab = shop.open("/cart")
    before = shop.events()[0]["session_id"]
    tab.evaluate("winback.cart('cart-7', {total_value: 149.9, currency: 'COP', items: [{sku: 'WH-1', quantity: 1}]})")
    (event,) = shop.events()
    assert (event["session_id"], event["previous_session_id"]) == ("cart-7", before)
    assert event["cart"]["total_value"] == 149.9
    tab.click("#to-checkout")
    assert [each["session_id"] for each in shop.events()] == ["cart-7"]


def test_customer_is_sent_only_on_request_and_not_stored(shop: Shop) -> None:
    tab = shop.open("/checkout")
    assert "customer" not in shop.events()[0]
    tab.evaluate("winback.identify({phone_number: '+573001234567', country_code: 'CO', consent: {call: true}})")
    (event,) = shop.events()
    assert event["customer"] == {"phone_number": "+573001234567", "country_code": "CO"}
    assert "573001234567" not in tab.evaluate("JSON.stringify(localStorage)")
