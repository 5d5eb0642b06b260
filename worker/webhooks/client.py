"""The HTTP client for webhooks: one request, one result."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic

import httpcore
import httpx

from tasks.delivery.deadline_transport import Attempt, DeadlineTransport, TooLateError, UnreadError, deadline
from tasks.delivery.resolving import ForbiddenAddressError
from tasks.delivery.yuno import LARGEST_REPLY, retry_after
from tasks.outcomes.settings import OutcomeSettings

_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    OSError,
    TooLateError,
    UnreadError,
    ForbiddenAddressError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The receiver's answer."""

    why: str
    """`http_` and the status, or an error's name, such as `connect_error`."""
    accepted: bool = False
    gone: bool = False
    """410: the receiver wants no more requests."""
    retry_after: timedelta | None = None


class WebhookClient:
    """Posts to one URL. Never follows a redirect, and connects to allowed addresses only."""

    def __init__(self, settings: OutcomeSettings, *, connections: int) -> None:
        self._url = settings.webhook_url or ""
        self._timeout_s = settings.webhook_timeout.total_seconds()
        self._client = httpx.Client(
            transport=DeadlineTransport(max_connections=connections, private=settings.allow_private_webhook),
            timeout=self._timeout_s,
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"content-type": "application/json", "accept-encoding": "identity", "user-agent": "winback"},
        )

    def post(self, body: str, headers: Mapping[str, str]) -> Answer:
        """Post one body within the timeout."""
        ends_at = monotonic() + self._timeout_s
        try:
            with (
                deadline(Attempt(latest_start=ends_at, ends_at=ends_at, clock=monotonic)),
                self._client.stream("POST", self._url, content=body.encode(), headers=headers) as response,
            ):
                answer = _read(response)
                _use_up(response)
                return answer
        except _ERRORS as exc:
            return Answer(_name(exc))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _read(response: httpx.Response) -> Answer:
    status = response.status_code
    return Answer(
        f"http_{status}",
        accepted=200 <= status < 300,  # noqa: PLR2004 - a 2xx counts even if the rest of the reply is lost
        gone=status == httpx.codes.GONE,
        retry_after=retry_after(response.headers.get("retry-after"), datetime.now(UTC)),
    )


def _use_up(response: httpx.Response) -> None:
    """Read a short reply to its end, so that the connection can be used again. Errors don't change the answer."""
    size = 0
    try:
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > LARGEST_REPLY:
                return
    except _ERRORS:
        return


def _name(exc: Exception) -> str:
    """Return an error's class in snake case: ReadTimeout becomes read_timeout."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in type(exc).__name__).lstrip("_")
