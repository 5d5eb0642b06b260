"""Checks a request's headers, in the order in which Yuno would refuse them."""

import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

KEY_HEADER = "X-Idempotency-Key"

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)

RawHeaders = Sequence[tuple[bytes, bytes]]
"""As provided by ASGI: names in lower case."""


@dataclass(frozen=True, slots=True)
class HeaderProblem:
    """One breach, and Yuno's reply to it. The message names the header, never a value."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """The pair of keys that requests must carry."""

    public_api_key: str
    private_secret_key: str


def idempotency_key(headers: RawHeaders) -> str | None:
    """Return the idempotency key if there is exactly one and it is a UUID in version-4 form."""
    values = _values(headers, KEY_HEADER)
    return values[0] if len(values) == 1 and _UUID4.fullmatch(values[0]) else None


def check_headers(headers: RawHeaders, credentials: Credentials | None) -> Iterator[HeaderProblem]:
    """Yield the problems of the headers. Without credentials any two keys are accepted, but both are required."""
    for name in ("public-api-key", "private-secret-key"):
        wanted = getattr(credentials, name.replace("-", "_"), None)
        for problem in _check_key(_values(headers, name), wanted):
            yield HeaderProblem(401, "INVALID_CREDENTIALS", f"{name}: {problem}")
    media_type = ",".join(_values(headers, "content-type")).partition(";")[0].strip().lower()
    if media_type != "application/json":
        yield HeaderProblem(415, "UNSUPPORTED_MEDIA_TYPE", "content-type: must be application/json")
    keys = _values(headers, KEY_HEADER)
    if not keys:
        yield HeaderProblem(400, "INVALID_REQUEST", f"{KEY_HEADER}: is missing")
    elif idempotency_key(headers) is None:
        yield HeaderProblem(400, "INVALID_REQUEST", f"{KEY_HEADER}: must be one UUID in version-4 form")


def _check_key(values: list[str], wanted: str | None) -> Iterator[str]:
    if not any(values):
        yield "is missing"
    elif len(values) > 1:
        yield "is sent more than once"
    elif wanted is not None and not hmac.compare_digest(values[0].encode(), wanted.encode()):
        yield "is not the key that this mock was started with"


def _values(headers: RawHeaders, name: str) -> list[str]:
    wanted = name.lower().encode()
    return [value.decode("latin-1") for key, value in headers if key == wanted]
