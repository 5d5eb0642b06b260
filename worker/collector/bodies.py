"""Reads a request's body: raw bytes within a limit, inflated if they are gzip."""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress

from starlette.types import Receive

from worker.collector.answers import Refusal, RefusedError
from worker.collector.time_limit import TimeLimit

READ_TIMEOUT_S = 30.0
DRAIN_S = 2.0
DRAIN_BYTES = 16 * 1024 * 1024
"""How long, and how much, is read of a body that is refused."""
_GZIP = b"\x1f\x8b"
_ENCODINGS = frozenset({"gzip", "x-gzip", "", "identity"})

TOO_LARGE = Refusal(413, "too_large", "The body is too large.")
UNKNOWN_ENCODING = Refusal(415, "unknown_encoding", "Content-Encoding must be gzip or identity.")
BROKEN_GZIP = Refusal(400, "broken_gzip", "The body is not complete gzip data.")
TOO_SLOW = Refusal(408, "too_slow", "The body did not arrive in time.")
BUSY = Refusal(503, "busy", "Too many requests are being read.", retry_after_s=1)


class Memory:
    """The memory that all bodies being read or stored take together."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    def take(self, size: int) -> None:
        """Take some bytes.

        Raises:
            RefusedError: there is no room; nothing was taken.
        """
        if self.used + size > self._limit:
            raise RefusedError(BUSY)
        self.used += size

    def give_back(self, size: int) -> None:
        """Give bytes back."""
        self.used -= size


class ClientGoneError(Exception):
    """The client closed the connection before its body was complete."""


async def read_body(
    receive: Receive, headers: Mapping[str, str], limit: int, take: Callable[[int], None], time_limit: TimeLimit
) -> bytes:
    """Return a request's body, inflated. gzip is recognised by its content; a header doesn't make it gzip.

    Args:
        receive: ASGI's.
        headers: By names in small letters.
        limit: Bytes that a body can have, before and after inflation.
        take: Called for each piece with its size before it is kept; raises a refusal if there is no room.
        time_limit: How long the body can take to arrive.

    Raises:
        RefusedError: too large, too slow, no complete gzip, or in an unknown encoding.
        ClientGoneError: The client has closed the connection.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise RefusedError(UNKNOWN_ENCODING)
    pieces = _Pieces(receive)
    try:
        _require_length(headers.get("content-length", ""), limit)
        return await time_limit.within(_read(pieces, limit, take))
    except TimeoutError:
        raise RefusedError(TOO_SLOW) from None
    except RefusedError:
        await pieces.drain()
        raise


def _require_length(stated: str, limit: int) -> None:
    if stated.isdigit() and int(stated[:20]) > limit:
        raise RefusedError(TOO_LARGE)


async def _read(pieces: "_Pieces", limit: int, take: Callable[[int], None]) -> bytes:
    first = await pieces.next()
    while pieces.more and len(first) < len(_GZIP):
        first += await pieces.next()
    inflater = _Inflater(limit) if first.startswith(_GZIP) else None
    parts, size, piece = [], 0, first
    while True:
        part = inflater.inflate(piece) if inflater else piece
        size += len(part)
        if size > limit:
            raise RefusedError(TOO_LARGE)
        take(len(part))
        parts.append(part)
        if not pieces.more:
            break
        piece = await pieces.next()
    if inflater and not inflater.is_complete:
        raise RefusedError(BROKEN_GZIP)
    return b"".join(parts) if len(parts) > 1 else parts[0]


class _Pieces:
    """The pieces in which a body arrives."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.more = True

    async def next(self) -> bytes:
        """Return the next piece."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        self.more = message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece

    async def drain(self) -> None:
        """Read on for a while: a client that is still sending would see a broken connection instead of the answer."""
        size = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while self.more and size < DRAIN_BYTES:
                    size += len(await self.next())


class _Inflater:
    """Inflates gzip piece by piece, never to more than the limit and a byte."""

    def __init__(self, limit: int) -> None:
        self._left = limit + 1
        self._member = zlib.decompressobj(wbits=31)

    def inflate(self, piece: bytes) -> bytes:
        """Return what a piece becomes."""
        parts = []
        try:
            while piece and self._left > 0:
                if self._member.eof:  # gzip can consist of several members
                    self._member = zlib.decompressobj(wbits=31)
                part = self._member.decompress(piece, self._left)
                self._left -= len(part)
                parts.append(part)
                piece = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        except zlib.error:
            raise RefusedError(BROKEN_GZIP) from None
        if self._left <= 0:
            raise RefusedError(TOO_LARGE)
        return b"".join(parts)

    @property
    def is_complete(self) -> bool:
        """Whether the last member has ended."""
        return self._member.eof
