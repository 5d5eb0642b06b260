"""What SDKs fetch or call besides their events, and paths that don't exist."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.collecting import BY_PUBLIC, BY_SERVER, EVENT, PUBLIC, SERVER, collector, emptied, post, streamed
from worker.collector.pixel import GIF, call_of
from worker.collector.process import Collector
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
# ruff: noqa: ANN401 - a client of the server

HOST = {"host": "collect.shop.example"}
PAGE = {"origin": "https://shop.example"}
ONE = json.dumps(EVENT).encode()


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as client:
        yield client


@pytest.fixture
def found(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> Iterator[Collector]:
    assert redis.ping()
    with collector(valkey.url, tmp_path / "spool", rate_per_address=2) as started:
        yield started


# Segment's settings of a project


@pytest.mark.parametrize("key", [PUBLIC, SERVER])
def test_segment_sdk_is_sent_to_this_host(found: Collector, key: str) -> None:
    answer = post(found.app, b"", HOST | PAGE, path=f"/v1/projects/{key}/settings", method="GET")
    assert answer.status == 200
    assert answer.json["integrations"]["Segment.io"] == {
        "apiKey": key,
        "apiHost": "collect.shop.example/v1",
        "unbundledIntegrations": [],
    }
    assert [*answer.json["integrations"]] == ["Segment.io"]
    assert answer.headers["access-control-allow-origin"] == PAGE["origin"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["localhost:8330", "127.0.0.1:8330", "[::1]:8330", "localhost"])
def test_browser_uses_http_for_a_local_host(found: Collector, host: str) -> None:
    answer = post(found.app, b"", {"host": host}, path=f"/v1/projects/{PUBLIC}/settings", method="GET")
    assert answer.json["integrations"]["Segment.io"]["protocol"] == "http"


@pytest.mark.parametrize("host", ["", "a b", "x/y", "evil.example#", 'x"', "x:y", "é"])
def test_settings_without_a_usable_host_are_refused(found: Collector, host: str) -> None:
    answer = post(found.app, b"", {"host": host}, path=f"/v1/projects/{PUBLIC}/settings", method="GET")
    assert (answer.status, answer.json["code"]) == (400, "no_host")


def test_settings_of_an_unknown_key_are_refused(found: Collector) -> None:
    statuses = [
        post(found.app, b"", HOST | BY_SERVER, path="/v1/projects/unknown-key/settings", method="GET").status
        for _ in range(22)
    ]
    assert (statuses[0], statuses[-1]) == (404, 429)


# RudderStack's configuration of a source


@pytest.mark.parametrize("path", ["/sourceConfig/", "/sourceConfig"])
@pytest.mark.parametrize(("headers", "query"), [(BY_PUBLIC, ""), ({}, f"&writeKey={PUBLIC}")])
def test_rudderstack_sdk_gets_its_configuration(
    found: Collector, path: str, headers: dict[str, str], query: str
) -> None:
    answer = post(found.app, b"", headers | PAGE, path=f"{path}?p=npm&v=3{query}", method="GET")
    source = answer.json["source"]
    assert (answer.status, source["enabled"], source["destinations"]) == (200, True, [])
    assert not any(one["enabled"] for one in source["config"]["statsCollection"].values())
    assert answer.headers["access-control-allow-origin"] == PAGE["origin"]


def test_configuration_needs_a_key(found: Collector) -> None:
    assert post(found.app, b"", {}, path="/sourceConfig/", method="GET").status == 401


@pytest.mark.parametrize(
    ("path", "method"), [("/sourceConfig/", "GET"), (f"/v1/projects/{PUBLIC}/settings", "GET"), ("/v1/track", "POST")]
)
def test_preflight_permits_what_an_sdk_sends(found: Collector, path: str, method: str) -> None:
    names = "authorization,anonymousid,content-type,sentat,rsa-retry-attempt"
    asked = {**PAGE, "access-control-request-method": method, "access-control-request-headers": names}
    answer = post(found.app, b"", asked, path=path, method="OPTIONS")
    assert answer.status == 200
    assert answer.headers["access-control-allow-methods"] == method
    assert set(names.split(",")) <= set(answer.headers["access-control-allow-headers"].replace(" ", "").split(","))


@pytest.mark.parametrize("names", ["x\r\ny: z", "*", "a" * 2000, ""])
def test_odd_names_of_headers_are_not_repeated(found: Collector, names: str) -> None:
    asked = {**PAGE, "access-control-request-method": "POST", "access-control-request-headers": names}
    answer = post(found.app, b"", asked, path="/v1/track", method="OPTIONS")
    assert answer.headers["access-control-allow-headers"].endswith("sentat")


# The pixel


def test_pixel_is_an_event(redis: Any, found: Collector) -> None:
    query = f"writeKey={PUBLIC}&anonymousId=%22a-1%22&event=Cart%20Viewed&properties.cart_id=c-1"
    answer = post(found.app, b"", {"content-length": "9", **PAGE}, path=f"/pixel/v1/track?{query}", method="GET")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "image/gif", GIF)
    assert answer.headers["cache-control"] == "no-store"
    (event,) = streamed(redis)
    assert (event["session_id"], event["flow_stage"]) == ("c-1", "cart_review")
    page = f"/pixel/v1/page?writeKey={PUBLIC}&anonymousId=a-1&name=Home"
    assert post(found.app, b"", {}, path=page, method="GET").status == 200
    assert streamed(redis)[1]["session_id"] == "c-1"


def test_pixel_without_a_key_is_refused(redis: Any, found: Collector) -> None:
    assert post(found.app, b"", {}, path="/pixel/v1/page?anonymousId=a-1", method="GET").status == 401
    assert streamed(redis) == []


@pytest.mark.parametrize(
    ("query", "call"),
    [
        ("event=A&event=B", {"type": "track", "event": "A"}),
        ("a.b=1&a.c=2&a=3", {"type": "track", "a": {"b": "1", "c": "2"}}),
        ("a=3&a.b=1", {"type": "track", "a": "3"}),
        ("type=delete&writeKey=x", {"type": "track"}),
        ("%ff=%fe", {"type": "track", "\ufffd": "\ufffd"}),
        ("", {"type": "track"}),
    ],
)
def test_query_of_a_pixel_becomes_a_call(query: str, call: dict[str, object]) -> None:
    assert json.loads(call_of(query, "track")) == call


def test_query_with_many_dots_is_nested_up_to_a_limit() -> None:
    assert call_of("." * 5000 + "=x", "track").count(b"{") < 12


# Paths and methods


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/x",
        "/v1/track/x",
        "/v1/",
        "/v1",
        "/v1/a/b/c",
        "/beacon/v1/track",
        "/pixel/v1/x",
        "/pixel/v1/a/b",
        "/nothing",
    ],
)
def test_unknown_path_is_refused_as_json(found: Collector, path: str, method: str) -> None:
    answer = post(found.app, ONE, BY_SERVER, path=path, method=method)
    assert (answer.status, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/events", "GET", "POST"),
        ("/v1/track", "PUT", "POST"),
        ("/pixel/v1/track", "POST", "GET"),
        ("/sourceConfig/", "POST", "GET, HEAD"),
    ],
)
def test_other_method_is_refused_with_those_allowed(found: Collector, path: str, method: str, allowed: str) -> None:
    answer = post(found.app, ONE, BY_SERVER, path=path, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, f"{allowed}, OPTIONS")


@pytest.mark.parametrize("route", ["merge", "group", "g", "import", "b"])
def test_other_calls_of_sdks_are_answered(found: Collector, route: str) -> None:
    assert post(found.app, b'{"batch": []}', BY_SERVER, path=f"/v1/{route}").status == 200


@pytest.mark.parametrize("path", ["/ga4", "/mp/collect"])
def test_ga4_has_its_key_in_the_url(redis: Any, found: Collector, path: str) -> None:
    body = {"client_id": "1.2", "events": [{"name": "view_cart", "params": {"cart_id": "c-1"}}]}
    raw = json.dumps(body).encode()
    assert post(found.app, raw, {}, path=f"{path}?measurement_id=G-1&api_secret={SERVER}").status == 200
    assert [event["session_id"] for event in streamed(redis)] == ["c-1"]
    assert post(found.app, raw, {}, path=f"{path}?api_secret=other-key").status == 401
