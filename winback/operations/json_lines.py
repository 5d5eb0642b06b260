"""Events as JSON lines from a file or a pipe: handed on as they come, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pydantic_core import from_json

from detectors.activity import MAX_EVENT_BYTES

_CHUNK = 256 * 1024  # bytes
_KEPT = MAX_EVENT_BYTES + 1  # of a longer line: enough to be refused for its length
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Source(Protocol):
    """A binary file or pipe."""

    def read1(self, size: int, /) -> bytes:
        """Return what is there, at most `size` bytes, after waiting for at least one; nothing at the end."""


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One line that is not blank, without the white space around it."""

    number: int
    """From 1; 0 when the whole input is one event."""
    text: bytes

    @property
    def label(self) -> str:
        """What messages about it begin with."""
        return f"line {self.number}: " if self.number else ""


def batches(source: Source) -> Iterator[list[JsonLine]]:
    """Yield lines as soon as they have been read, many at a time when many are there.

    Of a line that is longer than an event may be, only so much is kept that this can be seen.
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
    """As `batches`; but one event that is spread over several lines, as people write it, is one Line, number 0."""
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
    """A source of which the head has been read already."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._head = head
        self._source = source

    def read1(self, size: int, /) -> bytes:
        head, self._head = self._head, b""
        return head or self._source.read1(size)
