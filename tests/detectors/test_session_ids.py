import json
import re
from string import ascii_letters, digits

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detectors.normalize.session_ids import is_hashed, public_session_id, session_key, stored_as
from detectors.parsing import parse
from worker.ingest import fast_path

CART = "gid://shopify/Cart/c1-00ff11ee22dd33cc44bb55aa66778899"
SAFE = ascii_letters + digits + "._:-~@+="
texts = st.text(max_size=512)


@given(st.text(SAFE, min_size=1, max_size=128))
def test_an_id_that_can_be_a_key_is_stored_as_it_is(text: str) -> None:
    assert session_key(text) == session_key(f" {text}\n") == text
    assert public_session_id(text) == text


@given(texts)
def test_every_text_has_a_key_and_outer_space_is_ignored(text: str) -> None:
    key = session_key(text)
    assert re.fullmatch(r"[A-Za-z0-9._:\-~@+=]{1,128}|h/[0-9a-f]{40}", key)
    assert session_key(f"\t{text} ") == key
    assert stored_as(key) == key


@given(texts, texts)
def test_two_texts_without_credentials_have_two_keys(one: str, other: str) -> None:
    assume(not re.search(r"[?#@]", one + other) and one.strip() != other.strip())
    assert session_key(one) != session_key(other)


def test_no_id_of_a_shop_is_stored_as_the_hash_of_another() -> None:
    key = session_key("a b")
    assert is_hashed(key)
    assert session_key(key) != key
    assert stored_as(key) == key


@pytest.mark.parametrize(
    ("written", "same"),
    [
        (f"{CART}?key=abc123def456", CART),
        (f"{CART}?key=one", f"{CART}?key=other"),
        ("gid://shopify/Cart/7?key=a&x=1", "gid://shopify/Cart/7?x=1"),
        ("c1-00ff11ee22dd33cc44bb55aa66778899?key=abc", "c1-00ff11ee22dd33cc44bb55aa66778899"),
        ("cart-77?key=abc", "cart-77"),
        (
            "https://shop.example/cart/123e4567-e89b-12d3-a456-426614174000?access_token=x",
            "https://shop.example/cart/123e4567-e89b-12d3-a456-426614174000",
        ),
    ],
)
def test_a_cart_is_the_same_with_and_without_its_credentials(written: str, same: str) -> None:
    assert session_key(written) == session_key(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://shop.example/checkout?token=EC-1", "https://shop.example/checkout?token=EC-2"),
        ("checkout?token=1", "checkout?token=2"),
        ("?key=1", "?key=2"),
        ("https://shop.example/cart?id=1", "https://shop.example/cart?id=2"),
        (CART, CART.replace("99", "98")),
    ],
)
def test_two_shoppers_never_become_one(one: str, other: str) -> None:
    assert session_key(one) != session_key(other)


@pytest.mark.parametrize(
    ("written", "public"),
    [
        (f"{CART}?key=abc123def456", CART),
        (f" {CART} ", CART),
        ("https://jane:pw@shop.example/c?Token=1&id=5&api_key=2#top", "https://shop.example/c?id=5#top"),
        ("https://shop.example/#access_token=1", "https://shop.example/"),
        ("https://shop.example/c?cart_token=1;x=2", "https://shop.example/c?x=2"),
        ("https://shop.example/c?keyboard=1&monkey=2", "https://shop.example/c?keyboard=1&monkey=2"),
        ("?key=1", ""),
        ("carrito n.º 5", "carrito n.º 5"),
    ],
)
def test_what_is_shown_and_sent_has_no_credentials(written: str, public: str) -> None:
    assert public_session_id(written) == public
    assert public_session_id(public) == public


@pytest.mark.parametrize(
    "text", ["undefined", "null", "NaN", "0", 0, "---", "\u200b", "[object Object]", "{{cart_id}}"]
)
def test_a_placeholder_is_no_session_of_anyone(text: object) -> None:
    """Its shoppers would share one session, which would mix one's name with another's number."""
    activity = {"type": "activity", "session_id": text, "flow_stage": "checkout", "platform": "web"}
    raw = json.dumps(activity).encode()
    assert fast_path.read(raw, 1_700_000_000_000) is None
    assert parse(raw).event is None
    order = parse(json.dumps({"type": "order_completed", "session_id": text, "customer": {"email": "a@b.co"}}).encode())
    assert order.event is not None
    assert order.event.session_id is None
