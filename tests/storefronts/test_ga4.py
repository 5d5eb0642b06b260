import pytest

from storefronts.options import Options
from storefronts.results import Ignored, VisitorId
from tests.support.storefront_bodies import become, only, reason

MICROS = 1_796_122_800_000_000  # 2026-12-01T11:00:00Z
ITEMS = [{"item_id": "SKU_1", "item_name": "Shirt", "price": 10.5, "quantity": 2}]
LINES = [{"name": "Shirt", "sku": "SKU_1", "quantity": 2, "price": 10.5}]


def request(name: str, **params: object) -> dict[str, object]:
    return {"client_id": "1.2", "timestamp_micros": MICROS, "events": [{"name": name, "params": params}]}


@pytest.mark.parametrize(
    ("names", "stage"),
    [
        ("view_item_list select_item view_item page_view", "product_selection"),
        ("add_to_cart remove_from_cart view_cart", "cart_review"),
        ("begin_checkout add_shipping_info", "checkout"),
        ("add_payment_info", "payment"),
    ],
)
def test_event_name_decides_on_the_stage(names: str, stage: str) -> None:
    for name in names.split():
        found = only(become("ga4", request(name, ga_session_id=1)))
        expected = {"type": "activity", "occurred_at": "2026-12-01T11:00:00Z", "flow_stage": stage, "platform": "web"}
        assert found.event == expected
        assert found.visitor.ids == (VisitorId("client", "1.2"),)
        assert found.session_by == "visitor"


@pytest.mark.parametrize("name", ["view_cart", "begin_checkout"])
def test_whole_cart_is_kept(name: str) -> None:
    event = only(become("ga4", request(name, items=ITEMS, value=21, currency="USD", cart_id="cart-1"))).event
    assert event["cart"] == {"items": LINES, "total_value": 21, "currency": "USD"}
    assert event["session_id"] == "cart-1"


@pytest.mark.parametrize("name", ["add_to_cart", "remove_from_cart", "add_payment_info"])
def test_items_of_a_step_are_no_cart(name: str) -> None:
    assert "cart" not in only(become("ga4", request(name, items=ITEMS))).event


def test_purchase_is_an_order_with_tax_and_shipping() -> None:
    params = {"transaction_id": "T1", "value": 21, "tax": 4.2, "shipping": "5", "currency": "USD", "items": ITEMS}
    found = only(become("ga4", request("purchase", **params)))
    assert found.event["type"] == "order_completed"
    assert (found.event["order_value"], found.event["currency"]) == (30.2, "USD")
    assert found.dedupe_key == "ga4:purchase:1.2:T1"


@pytest.mark.parametrize("name", ["refund", "session_start", "", "my_event"])
def test_other_event_sends_nothing(name: str) -> None:
    assert reason(become("ga4", request(name)))


def test_event_data_of_a_tag_manager_is_read() -> None:
    user = {
        "email_address": "jane@example.com",
        "phone_number": ["+573001234567"],
        "sha256_phone_number": "x" * 64,
        "address": [{"first_name": "Jane", "last_name": "Doe", "country": "CO"}],
    }
    body = {"event_name": "begin_checkout", "client_id": "1.2", "user_data": user, "items": ITEMS, "language": "es-co"}
    event = only(become("ga4", body)).event
    assert event["customer"] == {
        "full_name": "Jane Doe",
        "phone_number": "+573001234567",
        "email": "jane@example.com",
        "country_code": "CO",
        "language": "es",
    }
    assert event["cart"] == {"items": LINES}


def test_event_without_client_is_ignored() -> None:
    assert "client_id" in reason(become("ga4", {"event_name": "view_cart"}))


def test_unreadable_event_costs_only_itself() -> None:
    last = b'{"name": "view_item", "params": {"value": NaN}}'
    raw = b'{"client_id": "1.2", "events": [{"name": "view_cart"}, nul, 7, %b]}' % last
    result = become("ga4", raw)
    assert [event["flow_stage"] for event in result.events] == ["cart_review", "product_selection"]
    assert result.ignored == (Ignored("is not valid JSON", place=1), Ignored("is not a JSON object", place=2))


def test_request_has_a_limit() -> None:
    body = {**request("view_item"), "events": [{"name": "view_item"}] * 200}
    assert len(become("ga4", body).events) == 100


@pytest.mark.parametrize(
    ("name", "url", "stage"),
    [
        ("page_view", "https://shop.example/kasse/2?x=1", "checkout"),
        ("page_view", "https://shop.example/", "product_selection"),
        ("page_view", "https://[/kasse", "product_selection"),
        ("view_item", "https://shop.example/kasse/2", "product_selection"),
    ],
)
def test_page_of_the_checkout_is_at_the_checkout(name: str, url: str, stage: str) -> None:
    found = become("ga4", request(name, page_location=url), options=Options(checkout_paths=("/kasse",)))
    assert [event["flow_stage"] for event in found.events] == [stage]
