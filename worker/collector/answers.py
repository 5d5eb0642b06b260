"""Answers. SDKs read `code` and `message` of an error, and repeat a request as its status and Retry-After say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pydantic_core import to_json
from starlette.types import Scope, Send

from detectors.json_values import JsonObject

Headers = Sequence[tuple[bytes, bytes]]

SUCCESS = b'{"success": true}'


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than 200."""

    status: int
    code: str
    message: str
    retry_after_s: float = 0
    allowed: str = "POST, OPTIONS"
    """The methods that a refused method can be replaced by."""


class RefusedError(Exception):
    """A request gets a refusal for an answer."""

    def __init__(self, refusal: Refusal, cause: str = "") -> None:
        """`cause`: what is reported to the operator instead of the refusal's code."""
        super().__init__(refusal.message)
        self.refusal = refusal
        self.cause = cause or refusal.code


UNAUTHORIZED = Refusal(401, "unauthorized", "The write key is missing or unknown.")
UNSIGNED = Refusal(401, "unauthorized", "The signature is missing or wrong.")
NOT_FOUND = Refusal(404, "not_found", "There is no such path.")
NOT_ALLOWED = Refusal(405, "method_not_allowed", "Send events with POST.")
FAILED = Refusal(500, "internal_error", "The request could not be handled.")


def too_many(retry_after_s: float) -> Refusal:
    """Return the answer to a client that sends too much."""
    return Refusal(429, "too_many_requests", "Too many events. Send them later.", retry_after_s=retry_after_s)


def unreadable(problem: str) -> Refusal:
    """Return the answer to a body that can't be read."""
    return Refusal(400, "unreadable", f"The request {problem}.")


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of a request by their names in small letters. Of two with one name, the first counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


async def send_success(send: Send, headers: Headers = ()) -> None:
    """Answer that all events were taken over."""
    await send_answer(send, 200, SUCCESS, headers)


async def send_refusal(send: Send, refusal: Refusal, headers: Headers = ()) -> None:
    """Answer with an error. The connection is closed if the body may not have been read."""
    body = to_json({"success": False, "code": refusal.code, "message": refusal.message})
    more = [(b"connection", b"close")]
    if refusal.retry_after_s:
        seconds = str(max(1, math.ceil(refusal.retry_after_s))).encode()
        more = [(b"retry-after", seconds), (b"x-ratelimit-reset", seconds)]
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        more.append((b"allow", refusal.allowed.encode()))
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        more.append((b"www-authenticate", b"Basic"))
    await send_answer(send, refusal.status, body, [*headers, *more])


async def send_json(send: Send, document: JsonObject | None, headers: Headers = ()) -> None:
    """Answer 200 with a document; None: without a body."""
    await send_answer(send, 200, b"" if document is None else to_json(document), headers)


async def send_answer(
    send: Send, status: int, body: bytes, headers: Headers = (), *, content_type: bytes = b"application/json"
) -> None:
    """Answer with a body; an empty one has no type."""
    content = [(b"content-length", b"%d" % len(body)), *([(b"content-type", content_type)] if body else [])]
    await send({"type": "http.response.start", "status": status, "headers": [*content, *headers]})
    await send({"type": "http.response.body", "body": body})
