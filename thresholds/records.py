"""What earlier silences of a session leave over: the first threshold with which each silence can be a contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectors.flow import PLATFORMS, STAGES
from thresholds.grid import SIZE, place
from thresholds.silences import Silences

_STAGES = len(STAGES)
_RANKS = range(_STAGES * len(PLATFORMS))
_STAGE_OF = [rank // len(PLATFORMS) for rank in _RANKS]
_BIT_OF = [1 << stage for stage in _STAGE_OF]


def first_places(
    silences: Silences, lengths: Sequence[int], reached: Sequence[int], waits: Mapping[int, int], most: int
) -> bytearray:
    """Return the first place of the grid at which each silence can be a contact; the grid's size for none.

    Args:
        silences: Those of the recording.
        lengths: In ms.
        reached: How many thresholds each outlasts.
        waits: The thresholds (ms) by rank with which a silence uses a contact of its session up for the other stages.
        most: Contacts for one session.
    """
    return (_of_one if most == 1 else _Several(silences.sessions, most).of)(silences, lengths, reached, waits)


def _of_one(silences: Silences, lengths: Sequence[int], reached: Sequence[int], waits: Mapping[int, int]) -> bytearray:
    used, longest = bytearray(silences.sessions), bytearray(silences.sessions * _STAGES)
    found = bytearray(len(lengths))
    columns = zip(silences.session, silences.rank, lengths, reached, strict=True)
    for number, (session, rank, length, high) in enumerate(columns):
        bit, at = _BIT_OF[rank], session * _STAGES + _STAGE_OF[rank]
        found[number] = SIZE if used[session] & ~bit else longest[at]
        if length > waits[rank]:
            used[session] |= bit
        if high > longest[at]:  # noqa: PLR1730 - max() takes longer
            longest[at] = high
    return found


class _Several:
    """Sessions that can have several contacts."""

    def __init__(self, sessions: int, most: int) -> None:
        self._most = most
        self._longest: dict[int, list[int]] = {}
        self._used = [0] * (sessions * _STAGES)

    def of(
        self, silences: Silences, lengths: Sequence[int], reached: Sequence[int], waits: Mapping[int, int]
    ) -> bytearray:
        found = bytearray(len(lengths))
        columns = zip(silences.session, silences.rank, lengths, reached, strict=True)
        for number, (session, rank, length, high) in enumerate(columns):
            at = session * _STAGES + _STAGE_OF[rank]
            found[number] = self._first(session, at)
            if length > waits[rank] and self._used[at] < self._most:
                self._used[at] += 1
            longest = self._longest.setdefault(at, [])
            longest.append(high)
            longest.sort(reverse=True)
            del longest[self._most :]
        return found

    def _first(self, session: int, at: int) -> int:
        used = sum(self._used[session * _STAGES : (session + 1) * _STAGES]) - self._used[at]
        left = self._most - used
        if left <= 0:
            return SIZE
        longest = self._longest.get(at, [])
        return longest[left - 1] if len(longest) >= left else 0


def lengths_of(silences: Silences, last_ms: int) -> tuple[Sequence[int], bytearray]:
    """Return each silence's length (ms) and how many thresholds it outlasts; `last_ms` is the recording's end."""
    lengths = silences.lengths(last_ms)
    return lengths, bytearray(map(place, lengths))
