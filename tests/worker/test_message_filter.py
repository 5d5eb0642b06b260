"""Workers accept Winback's hints and refuse all other messages of a broker."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from amqp import serialization  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from state.partitions import is_outreach_id
from tests.support.hostile import (
    EMBEDDED,
    HEADERS,
    HINT,
    QUEUE,
    anything,
    bodies,
    content_types,
    encodings,
    envelope,
    headers,
)
from worker.celery_support import amqp_transport
from worker.celery_support.message_filter import (
    MOST_BYTES,
    MOST_CHARACTERS,
    REASONS,
    RefusedError,
    clean,
    envelope_is_sound,
)

BODY = json.dumps([[HINT], {}, EMBEDDED]).encode()


@dataclass
class Message:
    """As kombu makes it."""

    body: Any = BODY
    headers: Any = field(default_factory=lambda: dict(HEADERS))
    properties: Any = field(default_factory=dict)
    content_type: Any = "application/json"
    content_encoding: Any = "utf-8"
    errors: Any = field(default_factory=list)


def reason(tasks: tuple[str, ...] = (QUEUE,), **more: Any) -> str:  # noqa: ANN401 - anything
    with pytest.raises(RefusedError) as raised:
        clean(Message(**more), tasks)
    return raised.value.reason


def of(*, task: str = QUEUE, **more: object) -> dict[str, object]:
    return {**HEADERS, "task": task, **more}


def test_hint_passes_and_is_written_again() -> None:
    message = Message(headers=of(origin="gen1@host", stamps={"a": 1}, shadow="other", retries=7))
    clean(message, [QUEUE])
    assert json.loads(message.body) == [[HINT], {}, EMBEDDED]
    assert message.headers["argsrepr"] == f"('{HINT}',)"
    assert (message.headers["retries"], message.headers["timelimit"]) == (0, [None, None])
    assert not {"origin", "stamps", "shadow"} & message.headers.keys()


@pytest.mark.parametrize("expires", ["2999-01-01T00:00:00+00:00", "2999-01-01T00:00:00", "2999-01-01T02:00:00+02:00"])
def test_expiry_is_a_time_by_utc(expires: str) -> None:
    message = Message(headers=of(expires=expires))
    clean(message, [QUEUE])
    assert datetime.fromisoformat(message.headers["expires"]) == datetime(2999, 1, 1, tzinfo=UTC)


def test_time_limits_of_a_message_have_no_effect() -> None:
    message = Message(headers=of(timelimit=[0.001, None]))
    clean(message, [QUEUE])
    assert message.headers["timelimit"] == [None, None]


@pytest.mark.parametrize(
    ("expected", "more"),
    [
        ("options", {"headers": of(timelimit=["x", None])}),
        ("options", {"headers": of(timelimit=[True, None])}),
        ("options", {"headers": of(timelimit=[1])}),
        ("options", {"headers": of(timelimit=5)}),
        ("options", {"headers": of(eta="2999-01-01T00:00:00+00:00")}),
        ("options", {"headers": of(expires="tomorrow")}),
        ("options", {"headers": of(expires=5)}),
        ("options", {"headers": of(expires="0001-01-01T00:00:00+23:59")}),
        ("task", {"headers": of(task="celery.group")}),
        ("task", {"headers": of(task="winback.sweep")}),
        ("task", {"headers": of(id=["a"])}),
        ("task", {"headers": of(id="a b")}),
        ("task", {"headers": {}}),
        ("unreadable", {"headers": None}),
        ("encoding", {"headers": of(compression="zlib")}),
        ("encoding", {"content_type": "application/x-python-serialize"}),
        ("encoding", {"content_encoding": "klingon"}),
        ("encoding", {"content_encoding": None}),
        ("unreadable", {"errors": [ValueError()]}),
        ("unreadable", {"body": None}),
        ("unreadable", {"body": b"\xff"}),
        ("unreadable", {"body": b"[" * MOST_BYTES}),
        ("too_large", {"body": b" " * (MOST_BYTES + 1)}),
        ("arguments", {"body": b"null"}),
        ("arguments", {"body": b"[1, 2, 3, 4]"}),
        ("arguments", {"body": b'[["07-0123456789abcdef"], {"a": 1}, null]'}),
        ("arguments", {"body": b'[["07-0123456789abcdef"], {}, {"callbacks": [1]}]'}),
        ("arguments", {"body": b'[["07-0123456789abcdef"], {}, 5]'}),
        ("arguments", {"body": b'[["99-0123456789abcdef"], {}, null]'}),
        ("arguments", {"body": b"[[], {}, null]"}),
    ],
)
def test_message_that_is_no_hint_is_refused(expected: str, more: dict[str, Any]) -> None:
    assert reason(**more) == expected


def test_sweep_takes_no_arguments() -> None:
    assert reason(("winback.sweep",), headers=of(task="winback.sweep")) == "arguments"
    clean(Message(headers=of(task="winback.sweep"), body=b"[[], {}, null]"), ["winback.sweep"])


@pytest.mark.parametrize("request_id", ["", "07-0123456789abcdef", "0123456789ab\n", "jane@example.com", 7, None])
def test_erasure_takes_the_id_of_a_request(request_id: object) -> None:
    task = "winback.erase"
    clean(Message(headers=of(task=task), body=b'[["0123456789aB"], {}, null]'), [task])
    body = json.dumps([[request_id], {}, None]).encode()
    assert reason((task,), headers=of(task=task), body=body) == "arguments"


@given(headers | anything, bodies | anything, content_types | anything, encodings | anything)
def test_any_message_is_a_hint_or_refused(head: object, body: object, kind: object, encoding: object) -> None:
    message = Message(body, head, {}, kind, encoding)
    try:
        clean(message, [QUEUE])
    except RefusedError as refusal:
        assert refusal.reason in REASONS  # noqa: PT017 - it may be either
        return
    (argument,), named, more = json.loads(message.body)
    assert is_outreach_id(argument)
    assert named == {}
    assert more == EMBEDDED
    assert message.headers["task"] == QUEUE


def test_envelope_of_kombu_is_sound_and_parts_of_one_are_not() -> None:
    whole = envelope(b"{}", {}, "application/json", "utf-8")
    properties = whole["properties"]
    assert isinstance(properties, dict)
    assert envelope_is_sound(whole)
    assert envelope_is_sound({**whole, "headers": None})
    for name in ("body", "properties"):
        assert not envelope_is_sound({key: value for key, value in whole.items() if key != name})
    for name in ("delivery_tag", "delivery_info"):
        assert not envelope_is_sound({**whole, "properties": {k: v for k, v in properties.items() if k != name}})
    parts: list[dict[str, Any]] = [{"body": "é"}, {"body": "abc"}, {"body": 5}, {"headers": [1]}, {"properties": None}]
    for wrong in parts:
        assert not envelope_is_sound({**whole, **wrong})
    assert not envelope_is_sound({**whole, "body": "AAAA" * (MOST_CHARACTERS // 4 + 1)})
    parts = [
        {"body_encoding": "rot13"},
        {"delivery_tag": "a b"},
        {"delivery_tag": ["a"]},
        {"delivery_info": {"exchange": "a"}},
    ]
    for wrong in parts:
        assert not envelope_is_sound({**whole, "properties": {**properties, **wrong}})


@given(st.binary(max_size=60))
def test_properties_of_amqp_never_raise(buf: bytes) -> None:
    found, _ = amqp_transport._decoded(buf, 0)
    assert isinstance(found, dict)


def test_properties_of_amqp_are_decoded_as_before() -> None:
    amqp_transport.install()
    plain = b"\x80\x00\x10application/json"
    assert serialization.PROPERTY_CLASSES[60](plain, 0) == ({"content_type": "application/json"}, len(plain))
