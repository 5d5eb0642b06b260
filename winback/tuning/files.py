"""Opens recordings, plain or compressed with gzip, and yields their lines in bounded memory."""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from detectors.activity import MAX_EVENT_BYTES
from worker.errors import StartError
from worker.logs.masking import one_line

STDIN = "-"
_CHUNK = 1024 * 1024
_KEPT = 16 * MAX_EVENT_BYTES + 1
"""Bytes kept of a longer line: enough to reject it for its length."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_OTHER_FORMATS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip",
    b"PAR1": "Parquet",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_ONE_DOCUMENT = re.compile(rb"\s*(?:(\[)|\{\s*\n)")
"""How a file begins that is one JSON array, or has objects of several lines."""
_MAGIC = max(map(len, _OTHER_FORMATS))


class Lines(NamedTuple):
    """Lines of a file, blank ones included, without their ends."""

    first_number: int
    """From 1."""
    lines: list[bytes]


class RecordingFile:
    """One file of a recording, or standard input. Use it as an iterator, once."""

    def __init__(self, name: str) -> None:
        """Open a file.

        Args:
            name: Its path, or `-` for standard input.

        Raises:
            StartError: It can't be opened, or has a format that isn't read.
        """
        self.name = "standard input" if name == STDIN else one_line(name)
        self.is_cut_off = False
        """Whether its compressed data ended too early."""
        self._raw = _opened(name, self.name)
        head = self._head()
        for magic, kind in _OTHER_FORMATS.items():
            if head.startswith(magic):
                self.close()
                raise StartError(
                    f"{self.name}: is in {kind} format: give JSON lines in UTF-8, plain or compressed with gzip"
                )
        self._text: io.BufferedIOBase = gzip.GzipFile(fileobj=self._raw) if head.startswith(_GZIP) else self._raw

    def __iter__(self) -> Iterator[Lines]:
        """Yield the lines.

        Raises:
            StartError: The compressed data is damaged, or the file can't be read.
        """
        rest, number = b"", 1
        for chunk in self._chunks():
            if number == 1 and not rest:
                self._require_lines(chunk.removeprefix(_BYTE_ORDER_MARK))
            *complete, rest = (rest + chunk).split(b"\n")
            rest = rest[:_KEPT]
            if number == 1 and complete:
                complete[0] = complete[0].removeprefix(_BYTE_ORDER_MARK)
            if complete:
                yield Lines(number, complete)
            number += len(complete)
        if rest:
            yield Lines(number, [rest.removeprefix(_BYTE_ORDER_MARK) if number == 1 else rest])

    @property
    def position(self) -> int:
        """How many bytes of the file have been read; 0 if that isn't known."""
        try:
            return self._raw.tell()
        except OSError:
            return 0

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._raw is not sys.stdin.buffer:
            self._raw.close()

    def _head(self) -> bytes:
        try:
            return self._raw.peek(_MAGIC)
        except OSError as problem:
            self.close()
            raise StartError(f"{self.name}: can't be read: {(problem.strerror or 'unknown').lower()}") from None

    def _require_lines(self, start: bytes) -> None:
        found = _ONE_DOCUMENT.match(start)
        if found:
            form, query = ("is a JSON array", ".[]") if found[1] else ("has events of several lines", ".")
            raise StartError(f"{self.name}: {form}: give one event a line, as `jq -c '{query}'` writes them")

    def _chunks(self) -> Iterator[bytes]:
        read = getattr(self._text, "read1", self._text.read)
        while True:
            try:
                chunk = read(_CHUNK)
            except EOFError:
                self.is_cut_off = True
                return
            except (OSError, zlib.error) as problem:
                why = "its compressed data is damaged" if _is_damage(problem) else str(problem)
                raise StartError(f"{self.name}: can't be read: {why}") from None
            if not chunk:
                return
            yield chunk


def size_of(names: list[str]) -> int | None:
    """Return the bytes of all files together; None if one is a pipe."""
    try:
        paths = [Path(name) for name in names]
        return sum(path.stat().st_size for path in paths) if all(path.is_file() for path in paths) else None
    except OSError:
        return None


def _opened(name: str, shown: str) -> io.BufferedReader:
    if name == STDIN:
        stdin: object = sys.stdin.buffer
        # In tests it is another buffer.
        return stdin if isinstance(stdin, io.BufferedReader) else io.BufferedReader(stdin)  # type: ignore[arg-type]
    try:
        return Path(name).open("rb")
    except IsADirectoryError:
        raise StartError(f"{shown}: is a directory: name its files, like {shown.rstrip('/')}/*.jsonl.gz") from None
    except OSError as problem:
        raise StartError(f"{shown}: can't be opened: {(problem.strerror or 'unknown').lower()}") from None


def _is_damage(problem: Exception) -> bool:
    return isinstance(problem, gzip.BadGzipFile | zlib.error)
