"""Answers. SDKs read `code` and `message` of an error, and repeat a request as its status and Retry-After say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pydantic_core import to_json
from starlette.types import Send

Headers = Sequence[tuple[bytes, bytes]]

SUCCESS = b'{"success": true}'
_JSON = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than 200."""

    status: int
    code: str
    message: str
    retry_after_s: float = 0


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
    return Refusal(400, "unreadable", f"The request can't be read: {problem}.")


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
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        more.append((b"www-authenticate", b"Basic"))
    await send_answer(send, refusal.status, body, [*headers, *more])


async def send_answer(send: Send, status: int, body: bytes, headers: Headers = ()) -> None:
    """Answer with a body of JSON; an empty one has no type."""
    content = [(b"content-length", b"%d" % len(body)), *([_JSON] if body else [])]
    await send({"type": "http.response.start", "status": status, "headers": [*content, *headers]})
    await send({"type": "http.response.body", "body": body})
