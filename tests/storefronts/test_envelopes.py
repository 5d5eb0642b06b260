import base64
import json

import pytest

from storefronts.event_lists import MOST_EVENTS
from storefronts.results import Ignored
from tests.support.storefront_bodies import become, only, reason, sample

AT = "2026-11-22T16:40:00Z"
EVENT = {"session_id": "s-1", "type": "activity", "occurred_at": AT, "flow_stage": "checkout", "platform": "web"}
ORDER = {"session_id": "s-1", "type": "order_completed"}
LINE = json.dumps(EVENT).encode()


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (LINE, 1),
        (b"\n" + json.dumps(EVENT, indent=2).encode() + b"\n", 1),
        (b"[" + LINE + b"," + LINE + b"]", 2),
        (LINE + b"\n\n" + LINE + b"\r\n" + LINE + b"\n", 3),
        (b"[]", 0),
    ],
)
def test_own_events_come_as_one_as_list_and_as_lines(body: bytes, number: int) -> None:
    assert become("events", body).parts == become("events", LINE).parts * number


@pytest.mark.parametrize(
    "bad", [b"nul", b"7", b"[" * 5000 + b"]" * 5000, b'{"session_id": \xff}', b'"@{}"', b'@{"by":"id"}']
)
@pytest.mark.parametrize(("start", "between", "end"), [(b"[", b",", b"]"), (b"", b"\n", b"")])
def test_unreadable_own_event_costs_only_itself(bad: bytes, start: bytes, between: bytes, end: bytes) -> None:
    result = become("events", start + between.join([LINE, bad, LINE]) + end)
    assert result.events == (EVENT, EVENT)
    assert [(one.raw, one.place, bool(one.reason)) for one in result.rejected] == [(bad, 1, True)]


@pytest.mark.parametrize("odd", [{"type": "activity"}, {"session_id": None}, {}])
def test_own_event_with_problems_is_passed_on(odd: dict[str, object]) -> None:
    assert become("events", [EVENT, odd]).events == (EVENT, odd)


@pytest.mark.parametrize("more", [1, 2])
def test_events_beyond_the_most_are_ignored(more: int) -> None:
    result = become("events", [EVENT] * (MOST_EVENTS + more))
    assert len(result.events) == MOST_EVENTS
    assert [one.place for one in result.ignored] == [MOST_EVENTS]


def test_own_order_is_read_leniently() -> None:
    (cut_off,) = become("events", b'{"sessionId": 7, "event": "Order Completed",}').events
    assert (cut_off["session_id"], cut_off["type"]) == ("7", "order_completed")
    (whole,) = become("events", b'{"sessionId": 7, "event": "Order Completed"}').events
    assert whole == {"sessionId": 7, "event": "Order Completed"}


def test_order_cut_off_in_the_first_line_costs_no_other() -> None:
    first = b'{"session_id": "s-2", "type": "order_completed", "x": '
    result = become("events", first + b"\n" + LINE + b"\n" + LINE)
    assert [event["session_id"] for event in result.events] == ["s-2", "s-1", "s-1"]


def test_indented_order_is_read_leniently() -> None:
    raw = b'{\n "session_id": "s-2",\n "type": "order_completed",\n "items": [\n  {"name": "x"}\n ],\n}\n'
    assert [event["session_id"] for event in become("events", raw).events] == ["s-2"]


@pytest.mark.parametrize("data", [EVENT, json.dumps(EVENT)])
def test_standard_webhook_holds_an_event(data: object) -> None:
    body = {"type": "cart.updated", "timestamp": "2026-11-01T00:00:00Z", "data": data}
    found = only(become("standard-webhooks", body, headers={"webhook-id": "msg-1"}))
    assert (found.event, found.dedupe_key) == (EVENT, "standard-webhooks:msg-1")


def test_standard_webhook_lends_type_and_time() -> None:
    body = {"type": "order.completed", "timestamp": AT, "data": {"session_id": "s-1"}}
    assert only(become("standard-webhooks", body)).event == {**ORDER, "occurred_at": AT}


def test_standard_webhook_with_a_list_has_keys_of_their_own() -> None:
    result = become("standard-webhooks", {"data": [EVENT, 7, EVENT]}, headers={"webhook-id": "m"})
    assert [found.dedupe_key for found in result.translated] == ["standard-webhooks:m:0", "standard-webhooks:m:2"]
    assert [(one.raw, one.place) for one in result.rejected] == [(b"7", 1)]


def test_standard_webhook_can_be_the_event_itself() -> None:
    assert only(become("standard-webhooks", EVENT)).event == EVENT


CONTEXT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "com.shop.order_completed", "time": AT}


@pytest.mark.parametrize(
    "data", [{"data": ORDER}, {"data_base64": base64.b64encode(json.dumps(ORDER).encode()).decode()}]
)
def test_cloudevent_holds_an_event(data: dict[str, object]) -> None:
    headers = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    found = only(become("cloudevents", {**CONTEXT, **data}, headers=headers))
    assert (found.event, found.dedupe_key) == ({**ORDER, "occurred_at": AT}, "cloudevents:/shop:1")


def test_cloudevent_has_its_context_in_headers() -> None:
    headers = {"Content-Type": "application/json", **{f"ce-{name}": value for name, value in CONTEXT.items()}}
    headers["ce-source"] = "%2Fshop"
    found = only(become("cloudevents", {"session_id": "s-1"}, headers=headers))
    assert (found.event, found.dedupe_key) == ({**ORDER, "occurred_at": AT}, "cloudevents:/shop:1")


def test_cloudevents_come_in_a_list() -> None:
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    result = become(
        "cloudevents", [{**CONTEXT, "data": ORDER}, 7, {**CONTEXT, "id": "2", "data": ORDER}], headers=headers
    )
    assert [found.dedupe_key for found in result.translated] == ["cloudevents:/shop:1", "cloudevents:/shop:2"]
    assert result.ignored == (Ignored("is not a JSON object", place=1),)


def test_cloudevent_of_the_sample_holds_no_json() -> None:
    assert reason(become("cloudevents", sample("cloudevents_structured"))) == "holds no data that is JSON"


SIGNED = {"webhook-id": "m", "webhook-signature": "v1,x"}
STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "Application/CloudEvents-Batch+JSON"}
BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "order_completed", "ce-time": AT}


@pytest.mark.parametrize(
    ("source", "headers", "body"),
    [
        ("standard-webhooks", SIGNED, {"type": "order_completed", "timestamp": AT, "data": {"session_id": "s-1"}}),
        ("standard-webhooks", SIGNED, EVENT),
        ("cloudevents", STRUCTURED, {**CONTEXT, "data": ORDER}),
        ("cloudevents", BATCH, [{**CONTEXT, "data": ORDER}, {**CONTEXT, "id": "2", "data": EVENT}]),
        ("cloudevents", BINARY, {"session_id": "s-1"}),
        ("cloudevents", BINARY, [ORDER, EVENT]),
        ("cloudevents", STRUCTURED, 7),
    ],
)
def test_headers_tell_the_envelope_of_own_events(source: str, headers: dict[str, str], body: object) -> None:
    assert become("events", body, headers=headers).parts == become(source, body, headers=headers).parts


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}, {"webhook-id": "m"}])
def test_own_events_without_an_envelope_are_plain(headers: dict[str, str]) -> None:
    assert become("events", EVENT, headers=headers).events == (EVENT,)
