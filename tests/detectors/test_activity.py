import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from detectors.activity import (
    MAX_CART_ITEMS,
    MAX_EVENT_BYTES,
    MAX_METADATA_BYTES,
    ActivityEvent,
    Cart,
    Item,
)
from detectors.flow import PLATFORMS, STAGES
from detectors.parsing import parse
from tests.support.seed_event import SEED, is_read_without_a_problem, seed


def test_the_documented_example_is_read_field_by_field() -> None:
    event = ActivityEvent.model_validate(SEED)
    assert event.model_dump(mode="json", exclude_unset=True) == SEED


IDS = ["x", "x" * 512, "two words", "a/b", "{tag}", "é", "a\x00", "gid://shopify/Cart/1?key=2", "AZaz09._:-~@+="]


@pytest.mark.parametrize("session_id", IDS)
def test_any_text_is_an_id_and_stays_as_it_came(session_id: str) -> None:
    parsed = parse(json.dumps(seed("session_id", session_id)).encode())
    assert parsed.event is not None
    assert parsed.event.session_id == session_id
    assert not parsed.problems


@pytest.mark.parametrize(
    ("sent", "kept"), [(7, "7"), (-7, "-7"), (10**60, str(10**60)), (7.0, "7"), (" a\n", "a"), (["a"], "a")]
)
def test_an_id_of_another_type_is_kept_as_its_text(sent: object, kept: str) -> None:
    parsed = parse(json.dumps(seed("session_id", sent)).encode())
    assert parsed.event is not None
    assert parsed.event.session_id == kept
    assert not parsed.problems


@pytest.mark.parametrize("bad", ["", " ", "x" * 513, None, True, {}, ["a", "b"], [], 10**600, 1.5])
def test_an_activity_without_a_readable_id_is_refused(bad: object) -> None:
    parsed = parse(json.dumps(seed("session_id", bad)).encode())
    assert parsed.event is None
    assert [problem.field for problem in parsed.problems] in (["session_id"], [""])


@pytest.mark.parametrize("bad", ["x" * 513, True, {"id": []}, 1.5])
def test_an_order_with_an_unreadable_id_still_names_its_buyer(bad: object) -> None:
    event = {"type": "order_completed", "session_id": bad, "customer": {"email": "jane.doe@example.com"}}
    parsed = parse(json.dumps(event).encode())
    assert parsed.event is not None
    assert parsed.event.session_id is None
    assert [problem.field for problem in parsed.problems] == ["session_id"]


def test_event_over_64_kib_is_read_without_cart_and_engagement() -> None:
    raw = json.dumps(SEED).encode()
    assert not parse(raw + b" " * (MAX_EVENT_BYTES - len(raw))).problems
    parsed = parse(raw + b" " * (MAX_EVENT_BYTES - len(raw) + 1))
    assert parsed.event is not None
    assert parsed.event.session_id == SEED["session_id"]
    assert (parsed.event.cart, parsed.event.engagement) == (None, None)
    assert [str(problem) for problem in parsed.problems] == ["the event has 65537 bytes, more than 65536"]


def test_a_large_order_still_closes_its_session() -> None:
    lines = [{"sku": "x" * 100, "quantity": 1}] * 3000
    parsed = parse(json.dumps({"type": "order_completed", "session_id": "s", "cart": {"items": lines}}).encode())
    assert parsed.event is not None
    assert (parsed.event.type, parsed.event.session_id) == ("order_completed", "s")


def test_a_cart_of_200_items_is_read_and_one_more_item_is_named() -> None:
    assert is_read_without_a_problem(seed("cart.items", [{"sku": "a"}] * MAX_CART_ITEMS))
    parsed = parse(json.dumps(seed("cart.items", [{"sku": "a"}] * (MAX_CART_ITEMS + 1))).encode())
    assert [problem.field for problem in parsed.problems] == ["cart.items"]


@pytest.mark.parametrize("sign", ["x", "é", "李", "😀"])
def test_metadata_is_limited_to_8_kib_whatever_it_is_written_in(sign: str) -> None:
    frame = len(json.dumps({"k": ""}))
    fits, over = divmod(MAX_METADATA_BYTES - frame, len(sign.encode()))
    assert is_read_without_a_problem(seed("engagement.metadata", {"k": sign * fits + "x" * over}))
    parsed = parse(json.dumps(seed("engagement.metadata", {"k": sign * fits + "x" * (over + 1)})).encode())
    assert [str(problem) for problem in parsed.problems] == ["engagement.metadata: is larger than 8192 bytes"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_metadata_holds_no_number_that_a_request_could_not_hold(number: str) -> None:
    raw = json.dumps(seed("engagement.metadata", {"score": "NUMBER"})).replace('"NUMBER"', number)
    parsed = parse(raw.encode())
    assert [problem.field for problem in parsed.problems] == ["engagement.metadata"]
    assert parsed.event is not None
    assert parsed.event.engagement is not None
    assert parsed.event.engagement.metadata is None


@pytest.mark.parametrize("money", [-1e13, 1e12 + 1, float("inf"), float("nan"), "many", True])
@pytest.mark.parametrize("field", ["cart.total_value", "cart.items.0.price", "order_value"])
def test_an_amount_is_a_number_up_to_a_trillion(field: str, money: object) -> None:
    parsed = parse(json.dumps(seed(field, money)).encode())
    assert [problem.field for problem in parsed.problems] == [field]


@pytest.mark.parametrize("field", ["cart.total_value", "order_value"])
def test_a_negative_total_is_left_out(field: str) -> None:
    parsed = parse(json.dumps(seed(field, -0.01)).encode())
    assert [problem.field for problem in parsed.problems] == [field]


def test_a_discount_is_a_line_with_a_negative_price() -> None:
    assert is_read_without_a_problem(seed("cart.items.0.price", -5000))


@pytest.mark.parametrize(
    "cart",
    [
        {"items": []},
        {"items": [], "total_value": 5},
        {"items": [{"sku": "a", "quantity": 0}, {"sku": "b", "quantity": 0}], "total_value": 5},
        {"total_value": 0, "items": [{"sku": "a", "quantity": 1}]},
        {"total_value": 0},
        {},
    ],
)
def test_a_cart_is_empty_without_value_lines_or_pieces(cart: dict[str, object]) -> None:
    assert Cart.model_validate(cart).is_empty


@pytest.mark.parametrize(
    "cart",
    [
        {"items": [{"sku": "a"}]},
        {"items": [{"quantity": 0}, {"sku": "b", "quantity": 1}]},
        {"total_value": 1},
        {"currency": "COP"},
        {"subtotal": 5},
    ],
)
def test_a_cart_of_which_something_is_known_is_not_empty(cart: dict[str, object]) -> None:
    assert not Cart.model_validate(cart).is_empty


@pytest.mark.parametrize("quantity", [-1, 1_000_001, 1.5, "two"])
def test_a_quantity_is_a_whole_number_up_to_a_million(quantity: object) -> None:
    parsed = parse(json.dumps(seed("cart.items.0.quantity", quantity)).encode())
    assert [problem.field for problem in parsed.problems] == ["cart.items.0.quantity"]


def test_text_is_stripped_and_cut_after_256_characters() -> None:
    for written in (f"  {'x' * 256}\n", "x" * 300):
        event = parse(json.dumps(seed("customer.full_name", written)).encode()).event
        assert event is not None
        assert event.customer is not None
        assert event.customer.full_name == "x" * 256


def test_an_unknown_field_does_not_cost_the_event() -> None:
    assert is_read_without_a_problem(seed("customer.loyalty_level", "gold", color={"is": "red"}))


def test_an_event_cannot_be_changed() -> None:
    event = ActivityEvent.model_validate(SEED)
    with pytest.raises(ValidationError, match="frozen"):
        event.session_id = "another"  # type: ignore[misc] # that it is refused is what is tested


@pytest.mark.parametrize("kind", ["exit", "payment_declined", "payment_pending", "order_completed", "opt_out"])
def test_only_activity_needs_more_than_its_session(kind: str) -> None:
    assert is_read_without_a_problem({"session_id": "s", "type": kind})


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_activity_names_its_stage_and_platform(stage: str, platform: str) -> None:
    event = {"session_id": "s", "type": "activity", "flow_stage": stage, "platform": platform}
    assert is_read_without_a_problem(event)
    for field in ("flow_stage", "platform"):
        parsed = parse(json.dumps({name: value for name, value in event.items() if name != field}).encode())
        assert [problem.field for problem in parsed.problems] == [field]


@pytest.mark.parametrize("kind", ["order_completed", "opt_out"])
def test_order_and_opt_out_can_name_a_person_without_a_session(kind: str) -> None:
    for customer in ({"phone_number": "+573001234567"}, {"email": "jane.doe@example.com"}):
        assert is_read_without_a_problem({"type": kind, "customer": customer})
    for nobody in (None, {}, {"phone_number": " "}, {"full_name": "Jane"}):
        assert parse(json.dumps({"type": kind, "customer": nobody}).encode()).event is None


def test_a_refusal_may_name_a_person_instead_of_a_session() -> None:
    refusal = {"type": "activity", "customer": {"email": "jane.doe@example.com", "consent": {"call": False}}}
    parsed = parse(json.dumps(refusal).encode())
    assert parsed.event is not None
    assert parsed.event.refuses


money = st.none() | st.floats(0, 1e12)
texts = st.none() | st.text(max_size=20).map(str.strip)
items = st.builds(Item, name=texts, sku=texts, quantity=st.none() | st.integers(0, 10**6), price=money)


@given(st.builds(Cart, total_value=money, currency=texts, items=st.none() | st.lists(items, max_size=5)))
def test_a_packed_cart_is_unpacked_as_it_was(cart: Cart) -> None:
    assert Cart.unpack(cart.pack()) == cart
