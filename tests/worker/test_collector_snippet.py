"""The collector serves the browser snippet, and takes its events."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.collecting import PUBLIC, SERVER, Answer, collector, emptied, post, streamed
from worker.collector.process import Collector
from worker.collector.snippet import Snippet, compact, source
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

MOST_BYTES = 2000


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as client:
        yield client


@pytest.fixture
def found(valkey: EmbeddedValkey, redis: Any, tmp_path: Path) -> Iterator[Collector]:  # noqa: ANN401 - a client
    assert redis.ping()
    with collector(valkey.url, tmp_path / "spool") as started:
        yield started


def get(found: Collector, method: str = "GET", **headers: str) -> Answer:
    return post(
        found.app,
        b"",
        {name.replace("_", "-"): text for name, text in headers.items()},
        path="/winback.js",
        method=method,
    )


def test_snippet_is_smaller_than_two_kilobytes() -> None:
    assert len(Snippet().zipped) < MOST_BYTES


def test_compact_form_loses_only_comments_and_indentation() -> None:
    assert compact("// a\n  if (b) {\n\n    c(); // d\n  }\n") == b"if (b) {\nc(); // d\n}\n"
    assert b"\n//" not in compact(source())


def test_snippet_is_served_to_every_page(found: Collector) -> None:
    answer = get(found, origin="https://shop.example")
    assert answer.status == 200
    assert answer.body == Snippet().plain
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert int(answer.headers["content-length"]) == len(answer.body)


def test_snippet_is_compressed_on_request(found: Collector) -> None:
    answer = get(found, accept_encoding="br, gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == Snippet().plain


def test_known_version_is_not_sent_again(found: Collector) -> None:
    etag = get(found).headers["etag"]
    answer = get(found, if_none_match=etag)
    assert (answer.status, answer.body) == (304, b"")
    assert get(found, if_none_match='"other"').status == 200


def test_head_has_no_body(found: Collector) -> None:
    assert get(found, "HEAD").body == b""
    assert int(get(found, "HEAD").headers["content-length"]) == len(Snippet().plain)


@pytest.mark.parametrize("key", [PUBLIC, SERVER])
def test_beacon_has_its_key_in_the_body_which_is_not_kept(found: Collector, redis: Any, key: str) -> None:  # noqa: ANN401 - a client
    event = {"session_id": "wb-1", "type": "exit", "occurred_at": "2026-11-22T16:40:00Z"}
    beacon = json.dumps({"writeKey": key, **event}).encode()
    answer = post(found.app, beacon, {"content-type": "text/plain;charset=UTF-8", "origin": "https://shop.example"})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    (stored,) = streamed(redis)
    assert stored.keys() == event.keys()
