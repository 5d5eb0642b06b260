"""The interface of techniques that run behind a shop, and the base of those with one process."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from bench.alternatives.programs import Program
from bench.alternatives.reports import READY, read
from bench.waiting import wait_for

SILENT_S = 2.0

Event = dict[str, Any]


class Technique(Protocol):
    patience_s: float
    """How long after the last event it can still report sessions."""

    def start(self) -> None:
        """Start its processes, the first time or after a kill."""

    def send(self, events: Sequence[Event]) -> None:
        """Do the shop's work at an event."""

    def kill(self) -> None:
        """SIGKILL all its processes at once, without the server."""

    def reports(self) -> Sequence[tuple[float, str]]:
        """Return the times (Unix s) and sessions of the reports."""

    def in_doubt(self) -> Collection[str]:
        """Return the sessions that it shows to an operator, because it is unknown whether they were reported."""


class OneProgram:
    """A technique with one process, which reports into a file."""

    def __init__(
        self, program: Program, reports: Path, note: Callable[[Sequence[Event]], object], patience_s: float
    ) -> None:
        self._program, self._reports, self._note = program, reports, note
        self.patience_s = patience_s

    def send(self, events: Sequence[Event]) -> None:
        self._note(events)

    def start(self) -> None:
        self._program.start()

    def kill(self) -> None:
        self._program.kill()

    def reports(self) -> Sequence[tuple[float, str]]:
        return [(at, session) for at, session in read(self._reports) if session != READY]

    def in_doubt(self) -> Collection[str]:
        return ()

    @contextmanager
    def running(self) -> Iterator[Technique]:
        try:
            self.start()
            wait_for(lambda: self._program.pid > 0 and bool(read(self._reports)), 60)
            yield self
        finally:
            self.kill()
