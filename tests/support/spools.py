"""A spool within a test, and its events."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.cipher import Cipher, Unencrypted
from worker.collector.spool import Spool
from worker.collector.spool_directory import SpoolDirectory

LIMIT = 1_000_000


@contextmanager
def opened(path: Path, cipher: Cipher | None = None, limit: int = LIMIT) -> Iterator[Spool]:
    found = Spool(SpoolDirectory(path), limit, cipher or Unencrypted())
    found.open()
    try:
        yield found
    finally:
        found.close()


def delivered(spool: Spool, most: int = 10_000) -> list[bytes]:
    """Deliver chunks, and return their events."""
    events: list[bytes] = []
    for _ in range(most):
        chunk = spool.next()
        if chunk is None:
            break
        events += chunk.events
        spool.drop(chunk)
    return events


def named(count: int, start: int = 0) -> list[bytes]:
    return [b'{"session_id":"s-%d"}' % number for number in range(start, start + count)]


def files(path: Path) -> list[Path]:
    return sorted(path.glob("*.events"))
