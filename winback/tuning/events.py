"""The events of a recording's files in order, and counts of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Generic, NamedTuple, Protocol, TypeVar

from thresholds.grid import HOUR_MS
from winback.tuning.files import RecordingFile
from worker.errors import StartError

WINDOW = 100_000
"""Lines within which events are put in order."""
_STEP = 25_000
_MOST_OUT_OF_ORDER = 0.01
_STAMP = itemgetter(0)


E = TypeVar("E", bound=tuple[object, ...])
"""An event: a tuple that begins with its sequence number."""


Read_co = TypeVar("Read_co", covariant=True)


class LineReader(Protocol[Read_co]):
    """Reads lines."""

    def read(self, line: bytes) -> Read_co | str:
        """Return an event, or why there is none."""


class Timed(Protocol):
    """An event."""

    @property
    def at_ms(self) -> int:
        """Its time (Unix ms)."""

    @property
    def session(self) -> str:
        """Its session; empty: it has none."""


class UnreadableLines(NamedTuple):
    """Lines that are no events, and the first of them."""

    number_of_lines: int = 0
    file: str = ""
    number: int = 0
    reason: str = ""


class Source(Generic[E]):
    """Reads the events of all files, and counts the lines that are none."""

    def __init__(self, reader: LineReader[E], progress: Callable[[int], None]) -> None:
        self._reader, self._progress = reader, progress
        self.files: list[RecordingFile] = []
        self.unreadable = UnreadableLines()

    def events(self, names: Sequence[str]) -> Iterator[list[E]]:
        """Yield the events of files as they are read.

        Raises:
            StartError: A file can't be read.
        """
        before = 0
        for name in names:
            file = RecordingFile(name)
            self.files.append(file)
            try:
                yield from self._of_file(file, before)
                before += file.position
            finally:
                file.close()

    def _of_file(self, file: RecordingFile, before: int) -> Iterator[list[E]]:
        read = self._reader.read
        for first_number, lines in file:
            events: list[E] = []
            for number, line in enumerate(lines, first_number):
                event = read(line)
                if not isinstance(event, str):
                    events.append(event)
                elif line.strip():
                    self._leave_out(file.name, number, event)
            self._progress(before + file.position)
            yield events

    def _leave_out(self, file: str, number: int, reason: str) -> None:
        first = self.unreadable if self.unreadable.number_of_lines else UnreadableLines(0, file, number, reason)
        self.unreadable = first._replace(number_of_lines=first.number_of_lines + 1)

    def require_order(self, events: int, out_of_order: int) -> None:
        """Check that there are events, and in order.

        Raises:
            StartError: No line is an event, or the events aren't sorted.
        """
        unreadable = self.unreadable
        if not events and unreadable.number_of_lines:
            raise StartError(
                f"{unreadable.file}: none of {unreadable.number_of_lines:,} lines is an event; "
                f"line {unreadable.number}: {unreadable.reason}"
            )
        if out_of_order > _MOST_OUT_OF_ORDER * events:
            raise StartError(
                f"{self.files[0].name}: {out_of_order:,} of {events:,} events come more than {WINDOW:,} lines too late"
                ": sort the recording by occurred_at"
            )


def in_order(batches: Iterable[list[E]]) -> Iterator[list[E]]:
    """Yield events sorted within the window."""
    waiting: list[E] = []
    for batch in batches:
        waiting += batch
        if len(waiting) >= WINDOW + _STEP:
            waiting.sort(key=_STAMP)
            yield waiting[:-WINDOW]
            del waiting[:-WINDOW]
    waiting.sort(key=_STAMP)
    yield waiting


class HourlyCounts:
    """Events by the hour, with and without a session, and those that come too late."""

    def __init__(self) -> None:
        self._all: dict[int, int] = {}
        self._without: dict[int, int] = {}
        self._latest = 0
        self.out_of_order = 0

    def add(self, events: Sequence[Timed]) -> None:
        """Count events, which are sorted."""
        if not events:
            return
        latest = self._latest
        for event in events:
            if event.at_ms >= latest:
                break
            self.out_of_order += 1
        self._latest = max(latest, events[-1].at_ms)
        counts = self._all
        for event in events:
            hour = event.at_ms // HOUR_MS
            counts[hour] = counts.get(hour, 0) + 1
            if not event.session:
                self._without[hour] = self._without.get(hour, 0) + 1

    def without_session(self, middle_ms: int) -> tuple[float, float]:
        """Return the share of events without a session, in the first and in the second half."""
        shares = []
        for is_second in (False, True):
            hours = [hour for hour in self._all if (hour * HOUR_MS >= middle_ms) is is_second]
            total = sum(self._all[hour] for hour in hours)
            shares.append(sum(self._without.get(hour, 0) for hour in hours) / total if total else 0.0)
        return shares[0], shares[1]
