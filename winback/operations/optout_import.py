"""Imports a file of people who opted out, in bounded memory: reads all of it first, then writes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from struct import Struct
from tempfile import SpooledTemporaryFile
from typing import Self

from state.optouts import OF_THE_PERSON, OPERATOR, OptOutEntry, OptOuts, Register
from winback.operations.optout_file import Line
from worker.errors import StartError

BATCH = 1000
"""Entries per round trip."""
MAX_REPORTED = 1000
"""The largest number of problems that are kept with their line. More are only counted."""
_MOST_SOURCES = 250
_RECORD = Struct("<32sBBq")
"""Hash, whether it is the first one of its line, index of its source, time (ms)."""
_IN_MEMORY = 4 << 20


@dataclass(slots=True)
class ParsedFile:
    """The content of a file."""

    entries: int = 0
    """Lines that name a person."""
    bad: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    """Line and problem, for the first lines with a problem."""
    sources: dict[str, Register] = field(default_factory=dict)
    """For a file with sources: entries and latest time of each."""


@dataclass(slots=True)
class ImportResult:
    """The changes by an import."""

    new: int = 0
    """Lines whose person wasn't on the list under any source."""
    removed: int = 0
    """Entries of the same source that the file no longer has."""


class Import:
    """One file. Its hashes are kept in a temporary file between reading and writing."""

    def __init__(self) -> None:
        self.read = ParsedFile()
        self._spool = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._sources: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def take(self, lines: Iterable[Line], at: Callable[[int], object]) -> None:
        """Read all lines; `at` is called with the number of each.

        Raises:
            StartError: A header is unknown, or there is no space for a temporary file.
        """
        try:
            self._take(lines, at)
        except OSError as problem:
            raise StartError(f"no temporary file can be written ({problem.strerror}): set TMPDIR") from None

    def _take(self, lines: Iterable[Line], at: Callable[[int], object]) -> None:
        for line in lines:
            at(line.number)
            problem = line.problem
            if line.people and line.source and not self._knows(line.source):
                problem = f"names one source too many (at most {_MOST_SOURCES})"
            if problem:
                self.read.bad += 1
                if len(self.read.problems) < MAX_REPORTED:
                    self.read.problems.append((line.number, problem))
            if line.people:
                self._keep(line)

    def write(self, opt_outs: OptOuts, source: str, at_ms: int, done: Callable[[int], object]) -> ImportResult:
        """Add all people: under `source` if given, else under the source of the line, else under `operator`.

        Repeating it changes nothing. `done` is called with the number of entries of each batch.
        """
        written = ImportResult()
        for batch in self._batches():
            entries = [
                OptOutEntry(digest.hex(), *self._source(source, source_index, time or at_ms))
                for digest, _, source_index, time in batch
            ]
            new = opt_outs.add_each(entries)
            written.new += sum(new for new, (_, first, _, _) in zip(new, batch, strict=True) if first)
            done(len(batch))
        self._record_sources(opt_outs, source, at_ms)
        return written

    def replace(self, opt_outs: OptOuts, source: str, at_ms: int, done: Callable[[int], object]) -> ImportResult:
        """Replace all entries of a register.

        All people in the file are written with the new time first. Only then are older entries removed, so that a
        person on both lists is never off the list. An interrupted run leaves too many people on the list, never too
        few.
        """
        written = ImportResult()
        for batch in self._batches():
            new = opt_outs.add_each([OptOutEntry(digest.hex(), source, at_ms) for digest, *_ in batch], renew=True)
            written.new += sum(new for new, (_, first, _, _) in zip(new, batch, strict=True) if first)
            done(len(batch))
        written.removed = sum(opt_outs.remove_older(source, at_ms))
        opt_outs.record(source, Register(at_ms, self.read.entries))
        return written

    def _keep(self, line: Line) -> None:
        self.read.entries += 1
        source_index = self._sources.index(line.source) + 1 if line.source in self._sources else 0
        if source_index:
            known = self.read.sources.get(line.source, Register(0, 0))
            self.read.sources[line.source] = Register(max(known.at_ms, line.at_ms), known.count + 1)
        for index, person in enumerate(line.people):
            self._spool.write(_RECORD.pack(bytes.fromhex(person), index == 0, source_index, line.at_ms))

    def _knows(self, source: str) -> bool:
        if source not in self._sources and len(self._sources) < _MOST_SOURCES:
            self._sources.append(source)
        return source in self._sources

    def _batches(self) -> Iterator[list[tuple[bytes, int, int, int]]]:
        self._spool.seek(0)
        records = iter(lambda: self._spool.read(_RECORD.size), b"")
        while batch := [_RECORD.unpack(record) for record in islice(records, BATCH)]:
            yield batch

    def _source(self, source: str, source_index: int, at_ms: int) -> tuple[str, int]:
        return source or (self._sources[source_index - 1] if source_index else OPERATOR), at_ms

    def _record_sources(self, opt_outs: OptOuts, source: str, at_ms: int) -> None:
        """Record the times of the registers' imports; for a file exported elsewhere, the times there."""
        known = opt_outs.registers()
        found = {source: Register(at_ms, self.read.entries)} if source else self.read.sources
        for name, register in found.items():
            if name in OF_THE_PERSON:
                continue
            before = known.get(name, Register(0, 0))
            opt_outs.record(name, Register(max(before.at_ms, register.at_ms), before.count or register.count))
