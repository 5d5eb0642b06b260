"""The events of a recording's files in order, and counts of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from time import time
from typing import Generic, TypeVar

from detectors.sequence import SLOW_CLOCK_MS
from thresholds.grid import HOUR_MS
from winback.tuning.files import RecordingFile
from winback.tuning.lines import LeftOut, LineReader, Timed, doubts
from winback.tuning.order_of_files import by_first_event
from worker.errors import StartError

WINDOW = 100_000
"""Lines within which events are put in order."""
_STEP = 25_000
_MOST_OUT_OF_ORDER = 0.01
_STAMP = attrgetter("stamp")


E = TypeVar("E", bound=Timed)


class Source(Generic[E]):
    """Reads the events of all files, and counts the lines that don't count."""

    def __init__(self, reader: LineReader[E], progress: Callable[[int], None]) -> None:
        self._reader, self._progress = reader, progress
        self._latest_ms = int(time() * 1000) + SLOW_CLOCK_MS
        self.files: list[RecordingFile] = []
        self.unreadable = LeftOut()
        self.future = LeftOut()
        """Events that are dated later than now: they would stretch the recording."""

    @property
    def doubts(self) -> list[str]:
        """Sentences about the parts of the files that don't count."""
        return doubts([file.name for file in self.files if file.is_cut_off], self.unreadable, self.future)

    def events(self, names: Sequence[str]) -> Iterator[list[E]]:
        """Yield the events of files as they are read: the file whose first event is the earliest comes first.

        Raises:
            StartError: A file can't be read.
        """
        before = 0
        for name in by_first_event(names, self._reader):
            file = RecordingFile(name)
            self.files.append(file)
            try:
                yield from self._of_file(file, before)
                before += file.position
            finally:
                file.close()

    def _of_file(self, file: RecordingFile, before: int) -> Iterator[list[E]]:
        read, latest_ms = self._reader.read, self._latest_ms
        for first_number, lines in file:
            events: list[E] = []
            for number, line in enumerate(lines, first_number):
                event = read(line)
                if isinstance(event, str):
                    if line.strip():
                        self.unreadable = self.unreadable.and_line(file.name, number, event)
                elif event.at_ms <= latest_ms:
                    events.append(event)
                else:
                    self.future = self.future.and_line(file.name, number)
            self._progress(before + file.position)
            yield events

    def require_order(self, events: int, out_of_order: int) -> None:
        """Check that there are events, and in order.

        Raises:
            StartError: No line is an event, or the events aren't sorted.
        """
        unreadable = self.unreadable
        if not events and unreadable.number_of_lines and not self.future.number_of_lines:
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
