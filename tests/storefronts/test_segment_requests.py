import json
from typing import Any

import pytest

from storefronts.results import Ignored, Profile
from tests.support.storefront_bodies import RECEIVED, become, only, reason, sample

PROPERTIES: dict[str, dict[str, Any]] = sample("segment_ecommerce")
AT = "2026-12-01T11:00:00Z"
WHO = {"anonymousId": "anonymous-1", "messageId": "m-1", "timestamp": AT}
MONOPOLY = {"name": "Monopoly: 3rd Edition", "sku": "45790-32", "price": 19}
UNO = {"name": "Uno Card Game", "sku": "46493-32", "price": 3}


def track(event: str, properties: object = None, **more: object) -> dict[str, object]:
    return {"type": "track", "event": event, "properties": properties, **WHO, **more}


def activity(stage: str, **more: object) -> dict[str, object]:
    return {"type": "activity", "occurred_at": AT, "flow_stage": stage, "platform": "web", **more}


def test_batch_shares_context_and_clock() -> None:
    calls = [track("Cart Viewed"), {"type": "identify", "anonymousId": "a", "timestamp": AT}, 7]
    body = {"batch": calls, "context": {"device": {"type": "ios"}}, "sentAt": "2026-12-01T10:00:00.000123+00:00"}
    first, second, third = become("segment", body, route="v1/batch").parts
    assert first == only(become("segment", {**body, "batch": calls[:1]}))
    assert isinstance(second, Profile)
    assert second.occurred_at == RECEIVED.replace(hour=12)  # two hours late, and so after the arrival
    assert third == Ignored("is not a JSON object", place=2)


@pytest.mark.parametrize("event", ["Checkout Started", "Order Completed"])
def test_call_that_segment_received_keeps_its_time(event: str) -> None:
    """Segment's webhook repeats a call for hours, with the same `sentAt`."""
    call = track(event, sentAt="2026-12-01T05:00:00Z", receivedAt="2026-12-01T10:00:00Z", anonymousId="a")
    assert only(become("segment", {"batch": [call]})).event["occurred_at"] == AT


def test_unreadable_call_costs_only_itself() -> None:
    calls = (
        f'[{json.dumps(track("Cart Viewed"))}, {{"type": nul}}, {json.dumps(track("Product Viewed"))[:-1]}, "n": NaN}}]'
    )
    result = become("segment", f'{{"batch": {calls}}}'.encode())
    assert [event["flow_stage"] for event in result.events] == ["cart_review", "product_selection"]
    assert result.ignored == (Ignored("is not valid JSON", place=1),)


def test_batch_has_at_most_the_calls_of_segments_api() -> None:
    result = become("segment", {"batch": [{"type": "group"}] * 3000})
    assert len(result.parts) == 2501
    assert "beyond" in result.ignored[-1].reason


def test_sample_of_a_batch_becomes_profiles() -> None:
    result = become("segment", sample("segment_batch"))
    assert [type(part) for part in result.parts] == [Profile, Ignored, Profile, Ignored]


@pytest.mark.parametrize(
    ("route", "call"), [("v1/t", "track"), ("v1/track", "track"), ("v1/p", "page"), ("v1/i", "identify")]
)
def test_path_names_the_call_if_the_body_does_not(route: str, call: str) -> None:
    fields = {"event": "Cart Viewed", **WHO}
    assert become("segment", fields, route=route) == become("segment", {"type": call, **fields})


def test_metrics_of_the_sdk_are_ignored() -> None:
    assert reason(become("segment", b"{}", route="v1/m")) == "holds metrics of the SDK"


@pytest.mark.parametrize("body", [b"", b"[]", b"nul", b'{"batch": 7}', b'"x"', b"\xff\xfe"])
def test_body_that_is_no_call_is_ignored(body: bytes) -> None:
    assert reason(become("segment", body, route="v1/batch"))


def test_rudderstack_has_its_own_field_for_the_time() -> None:
    fields = {**track("Cart Viewed"), "timestamp": None, "originalTimestamp": AT, "channel": "web"}
    assert only(become("rudderstack", fields, route="v1/track")).event == activity("cart_review")


def test_webhook_of_segment_holds_one_call_or_a_list() -> None:
    call = track("Cart Viewed")
    expected = only(become("segment", call))
    assert become("segment-webhook", call).parts == (expected,)
    assert become("segment-webhook", [call, call]).parts == (expected, expected)
