"""The parts of the collector on their own: addresses, rates, keys and settings."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from storefronts.delivery import Delivery
from worker.collector.address import Addresses
from worker.collector.rates import BURST_S, Buckets
from worker.collector.write_keys import WriteKeys
from worker.errors import StartError
from worker.settings import load
from worker.supervision.roles import roles

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("client", "forwarded", "found"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("10.0.0.2", "nonsense", "nonsense"),
        ("10.0.0.2", "198.51.100.1,", "10.0.0.2"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
    ],
)
def test_address_is_that_of_the_last_untrusted_hop(client: str, forwarded: str, found: str) -> None:
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert Addresses(["10.0.0.0/8"]).of({"client": (client, 1)}, headers) == found


def test_header_does_not_count_without_a_trusted_proxy() -> None:
    assert Addresses([]).of({"client": ("10.0.0.2", 1)}, {"x-forwarded-for": "1.2.3.4"}) == "10.0.0.2"
    assert Addresses([]).of({}, {}) == ""


def test_bucket_refills_at_its_rate() -> None:
    buckets = Buckets(2)
    assert all(buckets.take("a", 1, 0) == 0 for _ in range(2 * BURST_S))
    assert buckets.take("a", 1, 0) == 0.5
    assert buckets.take("b", 1, 0) == 0
    assert buckets.take("a", 1, 0.5) == 0
    assert buckets.take("a", 1, 0.5) > 0


def test_large_batch_passes_a_full_bucket_and_leaves_a_debt() -> None:
    buckets = Buckets(1)
    assert buckets.take("a", 100, 0) == 0
    assert buckets.take("a", 1, 90) == 1
    assert buckets.take("a", 1, 91) == 0


def test_buckets_take_bounded_memory() -> None:
    buckets = Buckets(1, most=3)
    for key in range(1000):
        buckets.take(key, 1, 0)
    assert buckets.size == 3


@given(st.lists(st.tuples(st.integers(1, 30), st.floats(0, 10)), max_size=50))
def test_rate_is_never_exceeded_for_long(requests: list[tuple[int, float]]) -> None:
    buckets, now, taken = Buckets(3), 0.0, 0
    for cost, later in requests:
        now += later
        taken += cost if buckets.take("a", cost, now) == 0 else 0
    assert taken <= 3 * BURST_S + 3 * now + 30


def test_key_in_both_lists_is_public() -> None:
    key = [SecretStr("the-same-key")]
    found = WriteKeys(key, key).find(Delivery(b"", NOW, {"authorization": "Bearer the-same-key"}))
    assert found is not None
    assert found.is_public


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({"authorization": "bearer  server-key-1 "}, {}, b""),
        ({}, {"writeKey": "server-key-1"}, b""),
        ({}, {}, b'{"writeKey": "server-key-1"}'),
        ({"authorization": "Bearer an-oauth-token"}, {}, b'{"batch": [], "writeKey": "server-key-1"}'),
    ],
)
def test_key_is_found_where_sdks_put_it(headers: dict[str, str], query: dict[str, str], body: bytes) -> None:
    found = WriteKeys([SecretStr("server-key-1")], []).find(Delivery(body, NOW, headers, query))
    assert found is not None
    assert not found.is_public


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SERVER_KEYS", "short", "number 1 has fewer than 8 characters"),
        ("SHOPIFY", "nonsense", "is not JSON"),
        ("SHOPIFY", '{"a shop": ["a secret"]}', "is no name of a shop"),
        ("TRUSTED_PROXIES", "proxy.example", "is neither an address nor a network"),
        ("ADDRESS", "http://x", "is not an address to listen on"),
    ],
)
def test_mistake_in_a_setting_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(StartError, match=words) as raised:
        load({f"WINBACK_COLLECT__{name}": value})
    assert f"WINBACK_COLLECT__{name}" in str(raised.value)


def test_up_starts_the_collector_if_a_key_is_set() -> None:
    assert "collect" not in {role.name for role in roles(load({}))}
    for variable, value in (("PUBLIC_KEYS", "public-key-1"), ("WOOCOMMERCE", '{"shop-a": ["secret-1"]}')):
        assert roles(load({f"WINBACK_COLLECT__{variable}": value}))[0].name == "collect"
