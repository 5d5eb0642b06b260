"""Which messages of the broker a worker accepts: only Winback's own hints. Pure.

Celery trusts messages: one with a time limit that isn't a number ends the worker, is redelivered, and ends the next. So
a message is checked before Celery gets it. Its allowed contents are few: a Winback task, its argument, its expiry. The
message is then rebuilt from these, so that nothing else in it has any effect. A hint that is refused by mistake costs
one lease: the outbox dispatches its outreach again.
"""

import json
import re
from base64 import b64decode
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from state.partitions import is_outreach_id
from state.privacy_requests import is_request_id

Reason = Literal["unreadable", "too_large", "encoding", "task", "arguments", "options", "flood"]
REASONS: Final[tuple[Reason, ...]] = ("unreadable", "too_large", "encoding", "task", "arguments", "options", "flood")
"""Why a message is refused. `options`: it has an ETA, a time limit that isn't a number, or an expiry that isn't a time.
`flood`: it was in a queue that was emptied for its length."""
MOST_BYTES: Final = 16_384
"""Size of a body; Winback's have some 150 bytes."""
MOST_CHARACTERS: Final = 1_048_576
"""Size of the body of any message, including answers to questions and batches of events."""

_ID: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}")
_ABOUT: Final = {"winback.recover": is_outreach_id, "winback.erase": is_request_id}
"""Tasks with an argument, and the test of its form."""
_LIMITS: Final = 2
_PARTS: Final = 3  # of a body: arguments, named arguments, further calls


class RefusedError(Exception):
    """A message isn't one of Winback's hints."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Message(Protocol):
    """The used part of kombu's messages."""

    body: object
    headers: object
    properties: object
    content_type: object
    content_encoding: object
    errors: object


def clean(message: Message, tasks: Collection[str]) -> None:
    """Rebuild a message from its allowed contents.

    Args:
        message: As the broker delivered it; its headers, properties and body are replaced.
        tasks: The tasks of its queue.

    Raises:
        RefusedError: It isn't one of Winback's hints; it is unchanged.
    """
    if message.errors:
        raise RefusedError("unreadable")
    arguments = _arguments(message)
    headers = _headers(message, tasks, arguments)
    message.headers, message.properties = headers, {"correlation_id": headers["id"]}
    message.body = json.dumps([arguments, {}, dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))]).encode()


def envelope_is_sound(raw: object) -> bool:
    """Return whether kombu's Redis transport can unpack and acknowledge a message."""
    if not isinstance(raw, dict) or not isinstance(raw.get("headers") or {}, dict):
        return False
    properties = raw.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("delivery_info"), dict):
        return False
    tag, info = properties.get("delivery_tag"), properties["delivery_info"]
    return (
        isinstance(tag, str)
        and _ID.fullmatch(tag) is not None
        and all(isinstance(info.get(name), str) for name in ("exchange", "routing_key"))
        and _can_be_decoded(raw.get("body"), properties.get("body_encoding"))
    )


def _can_be_decoded(body: object, encoding: object) -> bool:
    if not isinstance(body, str) or len(body) > MOST_CHARACTERS:
        return False
    if encoding is None:
        return True
    try:
        return encoding == "base64" and b64decode(body) is not None
    except ValueError:
        return False


def _arguments(message: Message) -> list[object]:
    """Return the arguments of the task, unchecked."""
    body = message.body
    if not isinstance(body, str | bytes):
        raise RefusedError("unreadable")
    if len(body) > MOST_BYTES:
        raise RefusedError("too_large")
    if (message.content_type, str(message.content_encoding).lower()) != ("application/json", "utf-8"):
        raise RefusedError("encoding")
    try:
        parts = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError("unreadable") from None
    if not isinstance(parts, list) or len(parts) != _PARTS:
        raise RefusedError("arguments")
    arguments, named, more = parts
    calls_more = more is not None and not (isinstance(more, dict) and not any(more.values()))
    if not isinstance(arguments, list) or named != {} or calls_more:
        raise RefusedError("arguments")
    return arguments


def _headers(message: Message, tasks: Collection[str], arguments: list[object]) -> dict[str, object]:
    headers = message.headers
    if not isinstance(headers, Mapping):
        raise RefusedError("unreadable")
    if "compression" in headers:
        raise RefusedError("encoding")
    task, task_id = headers.get("task"), headers.get("id")
    if not isinstance(task, str) or task not in tasks or not isinstance(task_id, str) or not _ID.fullmatch(task_id):
        raise RefusedError("task")
    is_id = _ABOUT.get(task)
    if not (len(arguments) == 1 and is_id(arguments[0]) if is_id else not arguments):
        raise RefusedError("arguments")
    if headers.get("eta") is not None or not _are_limits(headers.get("timelimit")):
        raise RefusedError("options")
    return {
        "lang": "py",
        "task": task,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "eta": None,
        "expires": _expires(headers.get("expires")),
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": repr(tuple(arguments)),
        "kwargsrepr": "{}",
        "ignore_result": True,
    }


def _are_limits(value: object) -> bool:
    """Return whether this is a pair of hard and soft time limits in Celery's form; the worker uses its own limits."""
    limits = [None, None] if value is None else value
    return (
        isinstance(limits, list | tuple)
        and len(limits) == _LIMITS
        and all(limit is None or type(limit) in {int, float} for limit in limits)
    )


def _expires(value: object) -> str | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        # A time without a zone is in UTC, as Celery reads it.
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise RefusedError("options") from None
