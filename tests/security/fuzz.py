"""Random inputs for the readers of external data: events, replies, and the bytes of a reply.

    python -m tests.security.fuzz --seconds 600 [--seed 7]

Each input is made from known ones: bytes flipped, cut, doubled, spliced, tokens inserted. A failure prints the seed and
the input. A few seconds of it run with the tests.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from random import Random

import httpx

from detectors.parsing import parse
from tasks.delivery import yuno
from tasks.delivery.yuno import Accepted, Rejected, TryAgain, Unauthorised, Undecided, retry_after
from tests.support.events import arrived
from tests.support.faulty_server import FaultyServer
from tests.support.wire import Wire
from tests.support.yuno_requests import client_of, limits, post
from worker.ingest.batch import collect

NOW = datetime(2026, 5, 13, 22, 45, tzinfo=UTC)
SLOW_S = 2.0
"""The limit for one input; most take less than a thousandth of it."""
LONGEST_PROBLEM = 2000
SECRET = b"Wanda Sekret"

EVENT = json.dumps(
    {
        "session_id": "s-1",
        "type": "payment_pending",
        "occurred_at": "2026-05-13T22:40:00Z",
        "expires_at": "2026-05-14T22:40:00+02:00",
        "flow_stage": "checkout",
        "platform": "web",
        "previous_session_id": "s-0",
        "customer": {
            "full_name": SECRET.decode(),
            "phone_number": "+573001234567",
            "email": "a@example.com",
            "country_code": "CO",
            "language": "es",
            "consent": {"call": True, "whatsapp": False},
        },
        "cart": {
            "total_value": 1.5,
            "currency": "COP",
            "items": [{"name": "A", "sku": "a", "quantity": 1, "price": 1.5}],
        },
        "engagement": {"preferred_channel": "auto", "reason": "r", "metadata": {"a": [1, {"b": None}]}},
        "order_value": 1e3,
        "currency": "COP",
    }
).encode()
EVENTS = (EVENT, b'{"session_id":"s","type":"exit"}', b'{"type":"opt_out","customer":{"phone_number":"+573001234567"}}')
DOCUMENTS = (
    b'{"code":"INVALID_REQUEST","messages":["Wanda Sekret is not valid"]}',
    b'{"code":"REQUEST_IN_PROCESS","messages":[]}',
    b'{"code":"IDEMPOTENCY_DUPLICATED"}',
    b"<html><body>502</body></html>",
    b"",
)
HEADERS = (b"120", b"Wed, 13 May 2026 22:50:00 GMT", b"-1", b"1e9", b"")
REPLIES = tuple(
    b"HTTP/1.1 %d Whatever\r\ncontent-type: application/json\r\n%s\r\n%s" % (status, head % len(body), body)
    for status in (200, 302, 400, 401, 409, 429, 500, 503)
    for body in DOCUMENTS[:3]
    for head in (b"content-length: %d\r\n", b"retry-after: 1\r\nx: %d\r\n", b"transfer-encoding: chunked\r\nx: %d\r\n")
)
TOKENS = (
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\\ud800", b"\\u0000", b"\x00", b"\xff", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"9" * 400, b"[" * 400, b'{"a":' * 400,
    b"\r\n", b"\n\n", b"{00}", b"*", "\u202e".encode(), b"\x1b[2J", b"chunked", b"0\r\n\r\n",
    b"content-length: 1\r\n", b"2026-13-45T99:99:99Z",
)  # fmt: skip


class BrokenError(AssertionError):
    """An input that broke a property."""


def mutated(random: Random, corpus: Sequence[bytes]) -> bytes:
    """Return one input made from the known ones."""
    made = bytearray(random.choice(corpus))
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        at = random.randrange(len(made) + 1)
        match random.randrange(6):
            case 0:
                made[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                del made[at : at + random.choice((1, 2, 10, 1000))]
            case 2:
                made[at:at] = random.choice(TOKENS)
            case 3:
                piece = made[at : at + random.randrange(1, 40)]
                made[at:at] = piece * random.choice((1, 2, 50))
            case 4:
                other = random.choice(corpus)
                start = random.randrange(len(other) + 1)
                made[at:] = other[start:]
            case _:
                made[at : at + random.randrange(1, 12)] = random.choice(TOKENS)
    return bytes(made)


def read_event(random: Random) -> bytes:
    """An event is read or refused, never raises, and the messages about it quote nothing."""
    raw = mutated(random, EVENTS)
    parsed = parse(raw)
    said = [str(problem) for problem in parsed.problems]
    _hold(raw, parsed.event is not None or bool(said), "neither an event nor a problem")
    _hold(raw, all(len(text) < LONGEST_PROBLEM and text.isprintable() for text in said), "a problem of many lines")
    batch = collect([arrived(raw, 1_747_176_000_000)])
    _hold(raw, not any(SECRET.decode() in str(r) for r in batch.rejections), "a problem quotes the event")
    return raw


def read_document(random: Random) -> bytes:
    """The document of a reply becomes an outcome with a plain reason."""
    raw, status = (
        mutated(random, DOCUMENTS),
        random.choice((200, 204, 302, 400, 401, 403, 409, 422, 429, 500, 502, 503, 504)),
    )
    wait = mutated(random, HEADERS)
    reply = yuno._classify(status, httpx.Headers({b"retry-after": wait.replace(b"\n", b"")}), raw, NOW)
    _hold(raw, isinstance(reply, Accepted) or _is_plain(reply.why), "a reason that is not plain")
    _hold(raw, (status // 100 == 2) == isinstance(reply, Accepted), "accepted is what 2xx says, and nothing else")
    if isinstance(reply, Rejected):
        _hold(raw, sum(map(len, reply.messages)) <= 10 * 500, "messages without end")
    retry_after(wait.decode("latin-1"), NOW)
    return raw


def _is_plain(why: str) -> bool:
    return why.isascii() and len(why) < 100 and all(char.isalnum() or char in "_." for char in why)


class Replies:
    """For any received bytes, the attempt has an outcome, and `sent` only after a 2xx."""

    def __init__(self) -> None:
        self._raw = b""
        with ExitStack() as stack:
            self._server = stack.enter_context(FaultyServer(self._say))
            self._client = stack.enter_context(client_of(self._server.url))
            self._stack = stack.pop_all()

    def __call__(self, random: Random) -> bytes:
        self._raw = raw = mutated(random, REPLIES)
        reply = post(self._client, limits(1.0))
        _hold(raw, isinstance(reply, Accepted | TryAgain | Rejected | Undecided | Unauthorised), "no outcome")
        _hold(raw, not isinstance(reply, Accepted) or b" 2" in raw, "accepted without a 2xx")
        return raw

    def close(self) -> None:
        self._stack.close()

    def _say(self, wire: Wire) -> None:
        wire.request()
        wire.send(self._raw)


def _hold(raw: bytes, holds: bool, what: str) -> None:  # noqa: FBT001 - as in assert
    if not holds:
        raise BrokenError(f"{what}: {raw!r}")


TARGETS = ("events", "documents", "replies")


@contextmanager
def opened(target: str) -> Iterator[Callable[[Random], bytes]]:
    """Yield a function that makes one input, gives it to the target, and returns the input."""
    if target != "replies":
        yield {"events": read_event, "documents": read_document}[target]
        return
    replies = Replies()
    try:
        yield replies
    finally:
        replies.close()


def fuzz(target: str, seconds: float, seed: int, least: int = 0) -> int:
    """Try inputs for this long, and at least this number; return how many.

    Raises:
        BrokenError: A property was broken, or an error was raised; names seed, number and input.
    """
    random, ends, tried = Random(seed), time.monotonic() + seconds, 0
    with opened(target) as attempt:
        while tried < least or time.monotonic() < ends:
            begins = time.monotonic()
            try:
                raw = attempt(random)
            except BrokenError:
                raise
            except Exception as exc:
                raise BrokenError(f"input {tried} raised {exc!r}") from exc
            if (took_s := time.monotonic() - begins) > SLOW_S:
                raise BrokenError(f"input {tried} took {took_s:.1f} s: {raw!r}")
            tried += 1
    return tried


def main() -> int:
    """Run all targets in order; the exit code is 1 if something broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long, in all")
    parser.add_argument("--seed", type=int, default=None, help="of the first input; random by default")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else time.time_ns() % 1_000_000
    for target in TARGETS:
        try:
            tried = fuzz(target, given.seconds / len(TARGETS), seed)
        except BrokenError as broken:
            print(f"{target}: BROKEN (seed {seed}): {broken}")  # noqa: T201 - its output
            return 1
        print(f"{target}: {tried:,} inputs, nothing broke (seed {seed})", flush=True)  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
