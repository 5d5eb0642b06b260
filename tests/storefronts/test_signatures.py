import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storefronts import signatures
from storefronts.delivery import Delivery
from storefronts.signatures import Scheme, Signed
from tests.support.storefront_bodies import delivery, sample

VECTORS: dict[str, dict[str, Any]] = {vector["scheme"]: vector for vector in sample("signature_vectors")["vectors"]}
SCHEMES: dict[str, Scheme] = {
    "shopify": signatures.shopify,
    "woocommerce": signatures.woocommerce,
    "yuno": signatures.yuno,
    "segment_webhook_destination": signatures.segment_webhook,
    "segment_webhook_destination_batched": signatures.segment_webhook,
    "standard_webhooks": signatures.standard_webhooks,
}
OTHER = "whsec_b3RoZXI="


def signed(scheme: str) -> Delivery:
    vector = VECTORS[scheme]
    headers = vector.get("headers") or {vector["header"]: vector["expected"]}
    received = datetime.fromtimestamp(int(headers.get("webhook-timestamp", 1_760_000_000)), UTC)
    return delivery(vector["body_utf8"].encode(), headers=headers, received=received)


def verified(scheme: str, secrets: list[str], request: Delivery | None = None) -> Signed:
    return SCHEMES[scheme](request or signed(scheme), secrets)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_signature_of_vector_is_accepted(scheme: str) -> None:
    expected = "first" if scheme.endswith("_batched") else "all"
    assert verified(scheme, [VECTORS[scheme]["secret"]]) == expected


@pytest.mark.parametrize("scheme", SCHEMES)
def test_second_secret_is_accepted(scheme: str) -> None:
    assert verified(scheme, [OTHER, VECTORS[scheme]["secret"]]) != "nothing"


@pytest.mark.parametrize("secrets", [[], [""], [" "], [OTHER], ["not base64!", OTHER]])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_other_and_empty_secrets_are_refused(scheme: str, secrets: list[str]) -> None:
    assert verified(scheme, secrets) == "nothing"


@pytest.mark.parametrize(
    "change",
    [lambda body: body + b" ", lambda body: body.replace(b"1", b"2", 1), lambda body: body[:-1], lambda _: b""],
)
@pytest.mark.parametrize("scheme", [name for name in SCHEMES if not name.endswith("_batched")])
def test_changed_body_is_refused(scheme: str, change: Callable[[bytes], bytes]) -> None:
    request = signed(scheme)
    assert verified(scheme, [VECTORS[scheme]["secret"]], replace(request, body=change(request.body))) == "nothing"


@pytest.mark.parametrize("value", ["", "é", "\udc80", "v1,", "v1,é v1", "=" * 5000])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_malformed_signature_is_refused(scheme: str, value: str) -> None:
    request = signed(scheme)
    headers = dict.fromkeys(request.headers, value) | {"webhook-id": "x", "webhook-timestamp": "1760000000"}
    assert verified(scheme, [VECTORS[scheme]["secret"]], replace(request, headers=headers)) == "nothing"


def test_first_item_of_list_is_what_segment_signs() -> None:
    request = signed("segment_webhook_destination_batched")
    first, second = json.loads(request.body)
    forged = json.dumps([second, first], separators=(",", ":")).encode()
    scheme, secrets = "segment_webhook_destination_batched", [VECTORS["segment_webhook_destination"]["secret"]]
    assert verified(scheme, secrets, replace(request, body=forged)) == "nothing"
    assert verified(scheme, secrets, replace(request, body=b"[" + request.body[1:-1] + b", 7]")) == "first"


def test_secret_of_woocommerce_is_accepted_with_entities() -> None:
    assert verified("woocommerce", ["wc &amp; &lt;secret&gt;"]) == "all"


def test_shopify_header_without_prefix_is_accepted() -> None:
    request = signed("shopify")
    headers = {"shopify-hmac-sha256": request.headers["x-shopify-hmac-sha256"]}
    assert verified("shopify", [VECTORS["shopify"]["secret"]], replace(request, headers=headers)) == "all"


@pytest.mark.parametrize(("minutes", "expected"), [(4, "all"), (-4, "all"), (6, "nothing"), (-6, "nothing")])
def test_standard_webhook_counts_only_near_its_time(minutes: int, expected: Signed) -> None:
    request = signed("standard_webhooks")
    later = replace(request, received=request.received + timedelta(minutes=minutes))
    assert verified("standard_webhooks", [VECTORS["standard_webhooks"]["secret"]], later) == expected


@pytest.mark.parametrize("timestamp", ["", "now", "-1760000000", "1760000000.0", "\u0661\u0667", "9" * 400])
def test_unreadable_time_of_standard_webhook_is_refused(timestamp: str) -> None:
    request = signed("standard_webhooks")
    changed = replace(request, headers={**request.headers, "webhook-timestamp": timestamp})
    assert verified("standard_webhooks", [VECTORS["standard_webhooks"]["secret"]], changed) == "nothing"


def test_one_of_several_standard_signatures_is_enough() -> None:
    request = signed("standard_webhooks")
    several = f"v1a,x v1,eA== {request.headers['webhook-signature']}"
    changed = replace(request, headers={**request.headers, "webhook-signature": several})
    assert verified("standard_webhooks", [VECTORS["standard_webhooks"]["secret"]], changed) == "all"
