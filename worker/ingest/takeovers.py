"""Carries out takeovers: a session gets the data of the session that it supersedes.

`docs/explanation/ingest.md` has a diagram.
"""

from collections.abc import Iterator, Sequence

from detectors.sequence import occurred_ms
from state.sessions import Mark, Sessions
from worker.ingest.batch import Batch, Takeover
from worker.ingest.marking import InSession


class Takeovers:
    """Carries out the takeovers of applied batches. Each takes a few round trips; few batches have any."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def hand_over(self, batch: Batch, marks: Sequence[Mark]) -> list[InSession]:
        """Carry out the takeovers of a batch, and hand on late events of superseded sessions.

        Return the data about the person of each session that supersedes another.

        Raises:
            StateError: Some may not have been carried out. It is safe to repeat all of them.
        """
        late = (
            Takeover(batch.changes[mark.change].session_id, mark.superseded_by, mark.superseded)
            for mark in marks
            if mark.superseded_by
        )
        # For the same two sessions the last takeover is enough: a shopper can switch back and forth thousands of times.
        last: dict[tuple[str, str], int] = {}
        for previous, session, stamp in (*batch.superseded, *late):
            last[previous, session] = max(stamp, last.get((previous, session), 0))
        return [found for (previous, session), stamp in last.items() for found in self._along(previous, session, stamp)]

    def _along(self, previous: str, session: str, stamp: int) -> Iterator[InSession]:
        """Hand a session's data to its successor, then to that one's successor, and so on."""
        chain: list[str] = []
        while session not in {previous, *chain}:
            chain.append(session)
            given = self._sessions.supersede(previous, session, stamp)
            yield InSession(session, occurred_ms(stamp), given, notes=True)
            previous, session, stamp = session, given.superseded_by or session, given.superseded
        if session in chain[:-1]:
            self._sessions.break_circle(chain[chain.index(session) :])
