"""Events of shops' own tools name their source, and only where it is news."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from state.keys import Keys
from storefronts.registry import SOURCES
from tests.support.collecting import BY_PUBLIC, BY_SERVER, EVENT, collector, emptied, post, streamed
from tests.support.processes import until
from worker.collector import reported_sources
from worker.collector.process import Collector
from worker.collector.reported_sources import ReportedSources
from worker.collector.settings import CollectSettings
from worker.collector.shop_sources import ShopSource, shop_sources
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
# ruff: noqa: ANN401 - a client of the server

CHECKOUT: dict[str, Any] = {"session_id": "s-1", "type": "activity", "flow_stage": "checkout", "platform": "web"}
PAYMENT = CHECKOUT | {"flow_stage": "payment"}
ORDER = {"session_id": "s-1", "type": "order_completed"}


def named(events: list[tuple[dict[str, Any], str]], sources: ReportedSources | None = None) -> list[str | None]:
    """Return the source in each event that is left, in one stored batch."""
    batch = (sources or ReportedSources()).batch()
    found = [batch.name(event, source).get("source") for event, source in events]
    batch.keep()
    return found


def test_repeated_activity_names_its_source_once() -> None:
    events = [(CHECKOUT, "segment"), (CHECKOUT, "segment"), (PAYMENT, "segment"), (CHECKOUT, "segment")]
    assert named(events) == ["segment", None, "segment", None]


def test_another_source_is_news() -> None:
    events = [
        (CHECKOUT, "segment"),
        (CHECKOUT, "ga4"),
        (CHECKOUT, "segment"),
        (CHECKOUT | {"session_id": "s-2"}, "ga4"),
    ]
    assert named(events) == ["segment", "ga4", "segment", "ga4"]


@pytest.mark.parametrize("more", [{"customer": {"full_name": "Jane"}}, {"cart": {"items": []}}])
def test_first_customer_or_cart_of_a_source_is_news(more: dict[str, Any]) -> None:
    events = [(CHECKOUT, "segment"), (CHECKOUT | more, "segment"), (CHECKOUT | more, "segment"), (ORDER, "segment")]
    assert named(events) == ["segment", "segment", None, "segment"]


@pytest.mark.parametrize(("event", "source"), [(CHECKOUT, ""), ({"type": "opt_out"}, "yuno")])
def test_event_without_source_or_session_names_none(event: dict[str, str], source: str) -> None:
    assert named([(event, source)]) == [None]


def test_source_of_a_batch_that_was_not_stored_is_news_again() -> None:
    sources = ReportedSources()
    assert sources.batch().name(CHECKOUT, "segment")["source"] == "segment"
    assert named([(CHECKOUT, "segment")], sources) == ["segment"]
    assert named([(CHECKOUT, "segment")], sources) == [None]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported_sources, "MOST", 2)
    sources = ReportedSources()
    events = [(CHECKOUT | {"session_id": f"s-{number}"}, "segment") for number in range(2)]
    assert named(events, sources) == ["segment"] * 2
    assert named([events[0]], sources) == [None]
    assert named([(PAYMENT, "segment"), events[1]], sources) == ["segment", None]
    assert named([events[1]], sources) == ["segment"]


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as client:
        yield client


@pytest.fixture
def found(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> Iterator[Collector]:
    assert redis.ping()
    with collector(valkey.url, tmp_path / "spool") as started:
        yield started


def test_event_of_a_tool_names_it(redis: Any, found: Collector) -> None:
    call = json.dumps({"anonymousId": "a", "properties": {"path": "/"}}).encode()
    for path in ("/v1/page", "/v1/page", "/beacon/v1/batch"):
        body = call if path != "/beacon/v1/batch" else b'{"batch": [{"type": "page", ' + call[1:] + b"]}"
        assert post(found.app, body, BY_PUBLIC, path=path).status == 200
    assert [event.get("source") for event in streamed(redis)] == ["segment", None, "rudderstack"]


@pytest.mark.parametrize(
    ("library", "source"),
    [
        ("RudderLabs JavaScript SDK", "rudderstack"),
        ("rudder-analytics-python", "rudderstack"),
        ("@rudderstack/rudder-sdk-node", "rudderstack"),
        ("com.rudderstack.android.sdk.core", "rudderstack"),
        ("rudder-ios-library", "rudderstack"),
        ("analytics.js", "segment"),
        ("", "segment"),
    ],
)
@pytest.mark.parametrize("is_batch", [False, True])
def test_library_tells_rudderstack_from_segment(
    redis: Any, found: Collector, library: str, source: str, *, is_batch: bool
) -> None:
    context = {"app": {"name": "rudder"}, "library": {"version": "1", "name": library}, "traits": {"name": "Rudder"}}
    call = {"anonymousId": "a", "type": "page", "properties": {"path": "/rudder"}, "context": context}
    body = json.dumps({"batch": [call]} if is_batch else call).encode()
    assert post(found.app, body, BY_PUBLIC, path="/v1/batch" if is_batch else "/v1/page").status == 200
    assert [event.get("source") for event in streamed(redis)] == [source]


@pytest.mark.parametrize(("headers", "outcome"), [(BY_PUBLIC, "accepted"), ({}, "refused")])
def test_request_of_rudderstack_is_counted_as_its_own(
    redis: Any, found: Collector, headers: dict[str, str], outcome: str
) -> None:
    body = b'{"type": "page", "context": {"library": {"name": "RudderLabs JavaScript SDK"}}}'
    assert post(found.app, body, headers, path="/v1/page").status == (200 if headers else 401)
    until(lambda: redis.hkeys(Keys().deliveries) == [f"rudderstack {outcome}".encode()])


def test_own_event_keeps_what_it_names(redis: Any, found: Collector) -> None:
    given = [EVENT, EVENT | {"source": "till/4"}]
    assert post(found.app, json.dumps(given).encode(), BY_SERVER).status == 200
    assert post(found.app, json.dumps(given).encode(), BY_PUBLIC).status == 200
    assert [event.get("source") for event in streamed(redis)] == [None, "till/4", None, None]


@pytest.mark.parametrize("name", SOURCES)
def test_only_own_events_have_no_source_of_the_collector(name: str) -> None:
    secrets = {"shop-a": [SecretStr("s" * 32)]}
    settings = CollectSettings(shopify=secrets, woocommerce=secrets)
    made: dict[str, ShopSource] = {one.label(""): one for one in shop_sources(settings).values()}
    own = name in {"events", "standard-webhooks", "cloudevents"}
    assert made[name].named("") == ({} if own else {"source": name})
    shop = "/shop-a" if name.startswith(("shopify", "woocommerce")) else ""
    assert made[name].named("shop-a") == ({} if own else {"source": f"{name}{shop}"})
    assert made[name].named("unknown") == ({} if own else {"source": name})
