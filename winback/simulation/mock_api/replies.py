"""The mock's replies to requests, including idempotency as documented by Yuno."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from winback.simulation.mock_api.behaviour import Knobs
from winback.simulation.mock_api.headers import HeaderProblem

Outcome = Literal["accepted", "replayed", "in_flight", "refused", "forced", "dropped"]
"""How a request ended:

- `accepted`: a person would be contacted now.
- `replayed`: the first reply to this key is repeated, and no person is contacted again.
- `in_flight`: the first request with this key has no reply yet.
- `refused`: it breaks the contract.
- `forced`: set by a knob.
- `dropped`: a knob closes the connection without accepting it.
"""

_CODES = {
    400: "INVALID_REQUEST",
    401: "INVALID_CREDENTIALS",
    403: "AUTHORIZATION_REQUIRED",
    409: "REQUEST_IN_PROCESS",
    500: "INTERNAL_ERROR",
}
_BODILESS = {204, 205, 304}


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, ready to be sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about a request. Without a reply the connection is closed."""

    outcome: Outcome
    reply: Reply | None


@dataclass(slots=True)
class _First:
    at: float
    reply: Reply | None = None


class FirstAnswers:
    """The first reply to each idempotency key. Only keys of accepted requests are kept: a refused key is free again."""

    def __init__(self) -> None:
        self._by_key: dict[str, _First] = {}

    def begin(self, key: str, now: float, window: float) -> Literal["new", "in_flight"] | Reply:
        """Take the key, or return why it can't be taken.

        Times are seconds since the epoch, the window is in seconds.
        """
        # Insertion order is the order of age, so the old ones come first.
        while self._by_key and now - next(iter(self._by_key.values())).at >= window:
            del self._by_key[next(iter(self._by_key))]
        first = self._by_key.get(key)
        if first is None:
            self._by_key[key] = _First(now)
            return "new"
        return first.reply or "in_flight"

    def finish(self, key: str, reply: Reply) -> None:
        """Remember the reply. The key is no longer in flight."""
        if first := self._by_key.get(key):
            first.reply = reply

    def forget(self, key: str) -> None:
        """Free a key whose request wasn't accepted in the end."""
        self._by_key.pop(key, None)

    def clear(self) -> None:
        """Forget all keys."""
        self._by_key.clear()


def decide(
    knobs: Knobs,
    status: int | None,
    problems: Sequence[HeaderProblem],
    *,
    key: str | None,
    first: FirstAnswers,
    now: float,
) -> Verdict:
    """Decide about one request. Give an accepted one with a key to `first.finish` when its reply is sent."""
    if knobs.drop == "before":
        return Verdict("dropped", None)
    if status is not None and not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Verdict("forced", forced_reply(status, knobs))
    if problems:
        worst = problems[0]
        messages = [problem.message for problem in problems if problem.status == worst.status]
        return Verdict("refused", error_reply(worst.status, worst.code, messages))
    if knobs.idempotency and key is not None:
        earlier = first.begin(key, now, knobs.idempotency_window.total_seconds())
        if earlier == "in_flight":
            return Verdict("in_flight", error_reply(409, _CODES[409], ["a request with this key is in flight"]))
        if earlier != "new":
            return Verdict("replayed", earlier)
    return Verdict("accepted", _accepted_reply(status or 200, knobs))


def _accepted_reply(status: int, knobs: Knobs) -> Reply:
    # Yuno documents no body for a 200, and in practice it was empty.
    return Reply(status, b"" if status in _BODILESS else (knobs.body or "").encode())


def forced_reply(status: int, knobs: Knobs) -> Reply:
    """Return the reply with a status that a knob sets."""
    headers = {}
    if status in {429, 503} and knobs.retry_after is not None:
        headers["Retry-After"] = knobs.retry_after
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        # Back to this address, so that a client that follows a redirect is detected.
        headers["Location"] = "/ai-caller-ms/recovery-payment/external"
    if status in _BODILESS:
        return Reply(status, headers=headers)
    if knobs.body is not None:
        return Reply(status, knobs.body.encode(), headers)
    name = HTTPStatus(status).name if status in set(HTTPStatus) else f"HTTP_{status}"
    return error_reply(status, _CODES.get(status, name), ["the mock was set to reply with this"], headers)


def error_reply(status: int, code: str, messages: Sequence[str], headers: Mapping[str, str] | None = None) -> Reply:
    """Return an error in Yuno's format: a code, and one message for each problem."""
    body = json.dumps({"code": code, "messages": list(messages)}, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json", **(headers or {})})
