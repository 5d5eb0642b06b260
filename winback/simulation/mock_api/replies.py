"""What the stand-in answers to a request, idempotency as Yuno documents it included."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from winback.simulation.mock_api.behaviour import Knobs
from winback.simulation.mock_api.headers import HeaderProblem

Outcome = Literal["accepted", "replayed", "in_flight", "refused", "forced", "dropped"]
"""`accepted`: taken, somebody would be contacted now. `replayed`: the first answer to this key once more, nobody is
contacted again. `in_flight`: the first request with this key is not answered yet. `refused`: against the contract.
`forced`: a knob said so. `dropped`: a knob said to hang up without taking it."""

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
    """One answer, ready to be sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request; without a reply the connection is closed."""

    outcome: Outcome
    reply: Reply | None


@dataclass(slots=True)
class _First:
    at: float
    reply: Reply | None = None


class FirstAnswers:
    """The first answer to each idempotency key. Only requests that were taken get in: a refused key is free again."""

    def __init__(self) -> None:
        self._by_key: dict[str, _First] = {}

    def begin(self, key: str, now: float, window: float) -> Literal["new", "in_flight"] | Reply:
        """Take the key, or say why it can't be taken. Times are seconds since the epoch, the window is in seconds."""
        # Insertion order is the order of age, so the old ones are all in front.
        while self._by_key and now - next(iter(self._by_key.values())).at >= window:
            del self._by_key[next(iter(self._by_key))]
        first = self._by_key.get(key)
        if first is None:
            self._by_key[key] = _First(now)
            return "new"
        return first.reply or "in_flight"

    def finish(self, key: str, reply: Reply) -> None:
        """Remember the answer; the key is no longer in flight."""
        if first := self._by_key.get(key):
            first.reply = reply

    def forget(self, key: str) -> None:
        """Free a key whose request was not taken after all."""
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
    """Decide about one request; an accepted one with a key must be given to `first.finish` when it is answered."""
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
    # Yuno documents no body for a 200, and others saw it empty.
    return Reply(status, b"" if status in _BODILESS else (knobs.body or "").encode())


def forced_reply(status: int, knobs: Knobs) -> Reply:
    """Return the answer to a status that a knob asks for."""
    headers = {}
    if status in {429, 503} and knobs.retry_after is not None:
        headers["Retry-After"] = knobs.retry_after
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        # Back here: whoever follows a redirect is seen doing it.
        headers["Location"] = "/ai-caller-ms/recovery-payment/external"
    if status in _BODILESS:
        return Reply(status, headers=headers)
    if knobs.body is not None:
        return Reply(status, knobs.body.encode(), headers)
    name = HTTPStatus(status).name if status in set(HTTPStatus) else f"HTTP_{status}"
    return error_reply(status, _CODES.get(status, name), ["the stand-in was told to answer this"], headers)


def error_reply(status: int, code: str, messages: Sequence[str], headers: Mapping[str, str] | None = None) -> Reply:
    """Return an error in Yuno's form: a code, and one message for each problem."""
    body = json.dumps({"code": code, "messages": list(messages)}, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json", **(headers or {})})
