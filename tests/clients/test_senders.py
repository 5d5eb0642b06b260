"""What the libraries of senders sign and write, the collector verifies and reads; Shopify's judges our signature."""

import base64
import hmac
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.clients.programs import INSTALLED, PLAYERS
from tests.support.collecting import BY_SERVER, EVENT, collector, emptied, post, streamed
from worker.collector.process import Collector
from worker.supervision.embedded_valkey import EmbeddedValkey

SECRET = "secret-of-the-app"
STANDARD = "whsec_" + base64.b64encode(b"secret-of-standard-webhooks").decode()
CART = json.dumps({"token": "cart-1", "line_items": [{"title": "Sofá 🛋️ <&>", "quantity": 1}]}, ensure_ascii=False)
BODIES = ["{}", CART, CART.replace(" ", "\n\t"), '{"a": "\\u00e9"}']
LIBRARIES = """
import "@shopify/shopify-api/adapters/node";
export { shopifyApi } from "@shopify/shopify-api";
export { createSHA256HMAC } from "@shopify/shopify-api/runtime";
export { CloudEvent, HTTP } from "cloudevents";
export { Webhook } from "standardwebhooks";
"""
LANGUAGES = ["node", "python"]
each_language = pytest.mark.parametrize("language", LANGUAGES)


def results(language: str, *jobs: Mapping[str, object]) -> list[Any]:
    """Let a library do something."""
    libraries = INSTALLED / "node" / "libraries.mjs"
    libraries.write_text(LIBRARIES)
    program = [shutil.which("node") or "node", "senders.mjs"] if language == "node" else [sys.executable, "senders.py"]
    env = {**os.environ, "PYTHONPATH": str(INSTALLED / "python")}
    given = json.dumps({"libraries": str(libraries), "jobs": jobs}).encode()
    done = subprocess.run(program, input=given, cwd=PLAYERS, env=env, check=False, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def redis(valkey: EmbeddedValkey) -> Iterator[Any]:
    with emptied(valkey.url) as found:
        yield found


@pytest.fixture
def found(valkey: EmbeddedValkey, redis: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:  # noqa: ANN401 - a client
    del redis
    secrets = {"shopify": {"shop-a": [SECRET]}, "standard_webhooks_secrets": [STANDARD]}
    with collector(valkey.url, tmp_path_factory.mktemp("spool"), **secrets) as started:
        yield started


def shopify_headers(signature: str) -> dict[str, str]:
    return {
        "x-shopify-topic": "carts/update",
        "x-shopify-hmac-sha256": signature,
        "x-shopify-shop-domain": "shop-a.myshopify.com",
        "x-shopify-api-version": "2025-10",
        "x-shopify-webhook-id": "w-1",
    }


def test_shopify_signature_is_accepted(found: Collector) -> None:
    signatures = results("node", *({"do": "shopify_sign", "secret": SECRET, "body": body} for body in BODIES))
    for body, signature in zip(BODIES, signatures, strict=True):
        statuses = [
            post(found.app, sent.encode(), shopify_headers(signature), path="/shopify/shop-a").status
            for sent in (body, f"{body} ")
        ]
        assert statuses == [200, 401]


def test_shopify_accepts_the_signature_of_the_collector() -> None:
    def judged(body: str, signed: str) -> dict[str, object]:
        signature = base64.b64encode(hmac.digest(SECRET.encode(), signed.encode(), "sha256")).decode()
        return {"do": "shopify_validate", "secret": SECRET, "body": body, "headers": shopify_headers(signature)}

    assert results("node", *(judged(body, body) for body in BODIES)) == [True] * len(BODIES)
    assert results("node", *(judged(body, f"{body} ") for body in BODIES)) == [False] * len(BODIES)


@each_language
def test_standard_webhook_is_accepted_if_signed_now(redis: Any, found: Collector, language: str) -> None:  # noqa: ANN401 - as above
    at_s, body = int(time.time()), json.dumps({"type": "activity", "data": EVENT})
    jobs = [
        {"do": "standard_sign", "secret": secret, "id": "msg-1", "at_s": at, "body": body}
        for secret, at in ((STANDARD, at_s), (STANDARD, at_s - 3600), (STANDARD[:-4] + "AAA=", at_s))
    ]
    statuses = []
    for job, signature in zip(jobs, results(language, *jobs), strict=True):
        headers = {"webhook-id": "msg-1", "webhook-timestamp": str(job["at_s"]), "webhook-signature": signature}
        statuses.append(post(found.app, body.encode(), headers, path="/standard-webhooks").status)
    assert statuses == [200, 401, 401]
    assert [event["session_id"] for event in streamed(redis)] == ["cart-1"]


@each_language
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_cloud_event_is_read(redis: Any, found: Collector, language: str, mode: str) -> None:  # noqa: ANN401 - as above
    attributes = {"type": "activity", "source": "/shop"}
    (message,) = results(language, {"do": "cloud_event", "mode": mode, "attributes": attributes, "data": EVENT})
    answer = post(found.app, message["body"].encode(), {**message["headers"], **BY_SERVER}, path="/cloudevents")
    assert answer.status == 200
    (event,) = streamed(redis)
    assert event.items() >= EVENT.items()
    assert event["occurred_at"]
