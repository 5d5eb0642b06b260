import pytest

from storefronts.results import Alias, AliasKind
from tests.support.storefront_bodies import become, only


@pytest.mark.parametrize(
    ("kind", "value", "key", "session_id"),
    [
        ("cart", "7", "cart-7", "7"),
        ("order", "7", "order-7", "order-7"),
        ("cart", "c-7", "c-7", "c-7"),
        ("checkout", "c-7", "c-7", "c-7"),
    ],
)
def test_plain_number_is_only_the_same_within_its_kind(kind: AliasKind, value: str, key: str, session_id: str) -> None:
    alias = Alias(kind, value)
    assert (alias.key, alias.session_id) == (key, session_id)
    found = only(become("segment", {"type": "track", "event": "Order Completed", "properties": {f"{kind}_id": value}}))
    assert (found.event["session_id"], found.event["cart_ids"][0]) == (session_id, session_id)
