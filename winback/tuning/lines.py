"""What reading a recording needs of its lines."""

from typing import NamedTuple, Protocol, TypeVar

Read_co = TypeVar("Read_co", covariant=True)


class LineReader(Protocol[Read_co]):
    """Reads lines."""

    def read(self, line: bytes) -> Read_co | str:
        """Return an event, or why there is none."""


class Timed(Protocol):
    """An event."""

    @property
    def stamp(self) -> int:
        """Its sequence number."""

    @property
    def at_ms(self) -> int:
        """Its time (Unix ms)."""

    @property
    def session(self) -> str:
        """Its session; empty: it has none."""


class LeftOut(NamedTuple):
    """Lines that don't count, and the first of them."""

    number_of_lines: int = 0
    file: str = ""
    number: int = 0
    reason: str = ""
    """Why the first isn't an event; empty if it is one."""

    def and_line(self, file: str, number: int, reason: str = "") -> "LeftOut":
        """Return the same with another line."""
        first = self if self.number_of_lines else LeftOut(0, file, number, reason)
        return first._replace(number_of_lines=first.number_of_lines + 1)


def doubts(cut_off: list[str], unreadable: LeftOut, future: LeftOut) -> list[str]:
    """Return sentences about the parts of a recording that don't count.

    Args:
        cut_off: Files whose compressed data ended too early.
        unreadable: Lines that are no events.
        future: Events that are dated in the future.
    """
    found = [
        f"{name} ends in the middle of its compressed data, so it isn't complete. The events up to there count."
        for name in cut_off
    ]
    if unreadable.number_of_lines:
        number = unreadable.number_of_lines
        lines = "1 line is no event and doesn't" if number == 1 else f"{number:,} lines are no events and don't"
        found.append(f"{lines} count. The first: {unreadable.file}, line {unreadable.number}: {unreadable.reason}.")
    if future.number_of_lines:
        number = future.number_of_lines
        events = (
            "1 event is dated in the future and doesn't"
            if number == 1
            else (f"{number:,} events are dated in the future and don't")
        )
        found.append(f"{events} count. The first: {future.file}, line {future.number}. Check the clock of its sender.")
    return found
