"""The HTTP client for Yuno's Recovery Agent: one request, one frozen outcome.

Whether a failed request can be repeated depends on one thing: was any byte sent? Sources: docs.y.uno, "Errors" and
"Idempotency" (August 2026).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore
import httpx

from tasks.delivery.deadline_transport import Attempt, DeadlineTransport, TooLateError, UnreadError, deadline
from tasks.delivery.resolving import ForbiddenAddressError
from tasks.delivery.settings import DeliverySettings

LARGEST_REPLY = 64 * 1024
_RETRYABLE = frozenset({408, 421, 425, 429, 500, 503})
"""Statuses of requests that weren't carried out and can be repeated.

408: it didn't arrive completely (RFC 9110, 15.5.9). 421: repeat it on another connection (RFC 9110, 15.5.20). 425: it
might have been a replay, so it wasn't processed (RFC 8470, 5.2); Winback sends no early data. 429, 503 and 500:
retryable by Yuno's documentation.
"""
_IN_USE = frozenset({409, 423})
"""Another request is using the target of this one (RFC 9110, 15.5.10; 423: RFC 4918, 11.3)."""
_UNDECIDED = frozenset({502, 504})
FORBIDDEN = "forbidden_address"
"""The endpoint's name has a forbidden address. This concerns every request."""
_FORBIDDEN_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Accepted:
    """2xx: the Recovery Agent has it."""

    status: int


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The request certainly made no contact, unless another one with the same key is in flight (`maybe_delivered`).

    Not `counted`: the outreach didn't cause the failure.
    """

    why: str
    retry_after: timedelta | None = None
    counted: bool = True
    maybe_delivered: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """It will never be accepted. `messages` can quote personal data: only for the outreach's own record."""

    why: str
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """It is unknown whether it was accepted."""

    why: str


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """The keys are refused. This concerns all outreaches."""

    why: str


Reply = Accepted | TryAgain | Rejected | Undecided | Unauthorised


class YunoClient:
    """Sends requests; one per process, used by all its threads."""

    def __init__(self, settings: DeliverySettings, *, max_connections: int) -> None:
        self._url = settings.endpoint
        self._headers = {
            "public-api-key": settings.public_api_key.get_secret_value() if settings.public_api_key else "",
            "private-secret-key": settings.private_secret_key.get_secret_value() if settings.private_secret_key else "",
            "content-type": "application/json",
            "accept": "application/json",
            # A compressed reply could unpack to any size.
            "accept-encoding": "identity",
            "user-agent": "winback",
        }
        self._client = httpx.Client(
            transport=DeadlineTransport(max_connections=max_connections, private=settings.allow_private_endpoint),
            timeout=settings.timeout.total_seconds(),
            follow_redirects=False,
            trust_env=False,
            # Refuse every cookie, so that nothing of one customer's request is sent with the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    def post(self, body: str, key: str, attempt: Attempt, *, now: datetime) -> Reply:
        """Send one request within the attempt's limits; a Retry-After date is measured by `now` (wall clock)."""
        headers = {**self._headers, "x-idempotency-key": key}
        try:
            with (
                deadline(attempt),
                _driver_errors(attempt),
                self._client.stream("POST", self._url, content=body.encode(), headers=headers) as response,
            ):
                answer = _read_bounded(response)
                return _classify(response.status_code, response.headers, answer, now)
        except _NotSent as exc:
            return TryAgain(exc.why, _FORBIDDEN_FOR if exc.why == FORBIDDEN else None, counted=exc.counted)
        except _MaybeDelivered as exc:
            return Undecided(exc.why)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


class _NotSent(Exception):  # noqa: N818 - a pending outcome, not an error
    def __init__(self, why: str, *, counted: bool) -> None:
        self.why, self.counted = why, counted


class _MaybeDelivered(Exception):  # noqa: N818 - as above
    def __init__(self, why: str) -> None:
        self.why = why


@contextmanager
def _driver_errors(attempt: Attempt) -> Iterator[None]:
    try:
        yield
    except TooLateError:
        raise _NotSent("too_late", counted=False) from None
    except ForbiddenAddressError:
        raise _NotSent(FORBIDDEN, counted=False) from None
    except UnreadError:
        raise _NotSent("closed_unread", counted=True) from None
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.UnsupportedProtocol) as exc:
        raise _NotSent(_name(exc), counted=True) from None
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as exc:
        if not attempt.started:
            raise _NotSent(_name(exc), counted=True) from None
        raise _MaybeDelivered(_name(exc)) from None


def _classify(  # noqa: PLR0911 - one return for each row of the table
    status: int, headers: httpx.Headers, body: bytes | None, now: datetime
) -> Reply:
    """Return the meaning of a reply; `body` is None if it broke off."""
    if 200 <= status < 300:  # noqa: PLR2004 - a 2xx counts even if the rest of the reply is lost
        return Accepted(status)
    if status == httpx.codes.BAD_REQUEST and body is None:
        # The lost code could have said that another request with this key is in flight or was accepted.
        return Undecided("http_400.reply_lost")
    code, messages = _error(body or b"")
    why = f"http_{status}" + (f".{code}" if code else "")
    wait = retry_after(headers.get("retry-after"), now)
    # The codes first: with any status they mean that there was another request with this key.
    if code == "IDEMPOTENCY_DUPLICATED":
        return Undecided(why)
    if status in _IN_USE or code == "REQUEST_IN_PROCESS":
        # It can be this outreach's own earlier request, lost with a failover, which can still become a contact.
        return TryAgain(why, wait, maybe_delivered=True)
    if status in {401, 403}:
        return Unauthorised(why)
    if status in _RETRYABLE:
        return TryAgain(why, wait)
    if status in _UNDECIDED:
        return Undecided(why)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        # Undocumented: it might have been processed.
        return Undecided(why)
    return Rejected(why, messages)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return a Retry-After header in seconds or as a date (RFC 9110, 10.2.3); None if it is missing or unreadable."""
    if value is None:
        return None
    text = value.strip()
    try:
        if text.isascii() and text.isdigit():
            return timedelta(seconds=min(int(text[:12]), 10**9))
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) - now


def _read_bounded(response: httpx.Response) -> bytes | None:
    """Return the body up to a bound, so that the connection can be used again; None if the reply broke off."""
    body = b""
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > LARGEST_REPLY:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError):
        return None
    return body[:LARGEST_REPLY]


def _error(body: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "", ()
    if not isinstance(document, dict):
        return "", ()
    code, messages = document.get("code"), document.get("messages")
    texts = messages if isinstance(messages, list) else []
    plain = "".join(c for c in code[:64] if c.isascii() and (c.isalnum() or c == "_")) if isinstance(code, str) else ""
    return plain, tuple(str(text)[:500] for text in texts[:10])


def _name(exc: Exception) -> str:
    """Return an error's class in snake case: ReadTimeout becomes read_timeout."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in type(exc).__name__).lstrip("_")
