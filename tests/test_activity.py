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
from tests.seed_event import SEED, is_read_without_a_problem, seed


def test_the_documented_example_is_read_field_by_field() -> None:
    event = ActivityEvent.model_validate(SEED)
    assert event.model_dump(mode="json", exclude_unset=True) == SEED


@pytest.mark.parametrize("length", [1, 128])
def test_a_session_id_has_one_to_128_characters(length: int) -> None:
    assert is_read_without_a_problem(seed("session_id", "x" * length))


@pytest.mark.parametrize(
    "bad", ["", "x" * 129, "two words", "a/b", "{tag}", "é", "a\n", "a\x00", "a:b*", 7, None, ["a"]]
)
def test_a_session_id_that_is_none_is_refused_with_its_field(bad: object) -> None:
    parsed = parse(json.dumps(seed("session_id", bad)).encode())
    assert parsed.event is None
    assert [problem.field for problem in parsed.problems] == ["session_id" if bad is not None else ""]


def test_a_session_id_may_hold_every_documented_sign() -> None:
    assert is_read_without_a_problem(seed("session_id", "AZaz09._:-~@+="))


def test_an_event_of_64_kib_is_read_and_one_byte_more_is_refused() -> None:
    raw = json.dumps(SEED).encode()
    assert parse(raw + b" " * (MAX_EVENT_BYTES - len(raw))).event is not None
    parsed = parse(raw + b" " * (MAX_EVENT_BYTES - len(raw) + 1))
    assert parsed.event is None
    assert [str(problem) for problem in parsed.problems] == ["the event has 65537 bytes, more than 65536"]


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


@pytest.mark.parametrize("money", [-0.01, 1e12 + 1, float("inf"), float("nan"), "many", []])
@pytest.mark.parametrize("field", ["cart.total_value", "cart.items.0.price", "order_value"])
def test_an_amount_is_a_number_from_zero_to_a_trillion(field: str, money: object) -> None:
    parsed = parse(json.dumps(seed(field, money)).encode())
    assert [problem.field for problem in parsed.problems] == [field]


@pytest.mark.parametrize("quantity", [-1, 1_000_001, 1.5, "two"])
def test_a_quantity_is_a_whole_number_up_to_a_million(quantity: object) -> None:
    parsed = parse(json.dumps(seed("cart.items.0.quantity", quantity)).encode())
    assert [problem.field for problem in parsed.problems] == ["cart.items.0.quantity"]


def test_text_is_stripped_and_ends_at_256_characters() -> None:
    event = parse(json.dumps(seed("customer.full_name", f"  {'x' * 256}\n")).encode()).event
    assert event is not None
    assert event.customer is not None
    assert event.customer.full_name == "x" * 256
    assert not is_read_without_a_problem(seed("customer.full_name", "x" * 257))


def test_an_unknown_field_does_not_cost_the_event() -> None:
    assert is_read_without_a_problem(seed("customer.loyalty_level", "gold", color={"is": "red"}))


def test_an_event_cannot_be_changed() -> None:
    event = ActivityEvent.model_validate(SEED)
    with pytest.raises(ValidationError, match="frozen"):
        event.session_id = "another"  # type: ignore[misc] # that it is refused is what is tested


@pytest.mark.parametrize("kind", ["exit", "payment_declined", "payment_pending", "order_completed", "opt_out"])
def test_every_type_but_activity_needs_its_session_alone(kind: str) -> None:
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
def test_an_order_and_an_opt_out_may_name_a_phone_number_instead_of_a_session(kind: str) -> None:
    assert is_read_without_a_problem({"type": kind, "customer": {"phone_number": "+573001234567"}})
    for customer in (None, {}, {"phone_number": " "}, {"full_name": "Jane"}):
        assert parse(json.dumps({"type": kind, "customer": customer}).encode()).event is None


money = st.none() | st.floats(0, 1e12)
texts = st.none() | st.text(max_size=20).map(str.strip)
items = st.builds(Item, name=texts, sku=texts, quantity=st.none() | st.integers(0, 10**6), price=money)


@given(st.builds(Cart, total_value=money, currency=texts, items=st.none() | st.lists(items, max_size=5)))
def test_a_packed_cart_is_unpacked_as_it_was(cart: Cart) -> None:
    assert Cart.unpack(cart.pack()) == cart
