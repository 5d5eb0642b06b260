"""Reads events as JSON lines from a file or a pipe and yields them as they arrive, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pydantic_core import from_json

from detectors.activity import MAX_EVENT_BYTES

_CHUNK = 256 * 1024  # bytes
_KEPT = MAX_EVENT_BYTES + 1  # of a longer line: enough to reject it for its length
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Source(Protocol):
    """A binary file or pipe."""

    def read1(self, size: int, /) -> bytes:
        """Return the available data, at most `size` bytes, after waiting for at least one; nothing at the end."""


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One line that isn't blank, without surrounding white space."""

    number: int
    """From 1; 0 if the whole input is one event."""
    text: bytes

    @property
    def label(self) -> str:
        """Return the prefix of messages about the line."""
        return f"line {self.number}: " if self.number else ""


def batches(source: Source) -> Iterator[list[JsonLine]]:
    """Yield lines as soon as they have been read, many at a time if many are available.

    Of a line that is too long for an event, only enough is kept to detect that.
    """
    rest, number = b"", 0
    while True:
        chunk = source.read1(_CHUNK)
        *complete, rest = (rest + chunk).split(b"\n") if chunk else (rest, b"")
        rest = rest[:_KEPT]
        lines = [JsonLine(number + place, text) for place, raw in enumerate(complete, 1) if (text := _bare(raw))]
        number += len(complete)
        if lines:
            yield lines
        if not chunk:
            return


def events(source: Source) -> Iterator[list[JsonLine]]:
    """Do the same as `batches`, but yield one event that spans several lines as one `JsonLine` with number 0."""
    head = _first_line(source)
    first = _bare(head.lstrip().partition(b"\n")[0])
    if first.startswith(b"{") and not first.endswith(b"}"):
        while len(head) <= 2 * _KEPT and (chunk := source.read1(_CHUNK)):
            head += chunk
        text = _bare(head)
        if _is_object(text):
            yield [JsonLine(0, text)]
            return
    yield from batches(_Resumed(head, source))


def _first_line(source: Source) -> bytes:
    head = b""
    while b"\n" not in head.lstrip() and len(head) <= _KEPT and (chunk := source.read1(_CHUNK)):
        head += chunk
    return head


def _bare(raw: bytes) -> bytes:
    return raw.strip().removeprefix(_BYTE_ORDER_MARK)


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(from_json(text), dict)
    except ValueError:
        return False


class _Resumed:
    """A source whose head has already been read."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._head = head
        self._source = source

    def read1(self, size: int, /) -> bytes:
        head, self._head = self._head, b""
        return head or self._source.read1(size)
