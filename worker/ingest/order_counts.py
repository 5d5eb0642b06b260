"""Counts the sessions of a batch that reach the checkout, and its orders, so that missing orders are detected."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from detectors.session_fields import is_bot
from state.orders import Orders, SessionMoment
from state.script import NamedCall
from worker.ingest.batch import Batch

MOST_OF_A_BATCH = 200
"""The largest number of a batch's new sessions that are counted. Beyond that, the counted part represents all of them.
"""
MOST_KNOWN = 100_000


class Counting(NamedTuple):
    """The calls that count a batch's orders."""

    calls: Sequence[NamedCall]
    sessions: Sequence[str]
    """The sessions to remember after the calls."""


class OrderCount:
    """Counts the batches of one process."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._known: set[str] = set()
        """Sessions that are already counted: most events aren't the first of their session."""
        self._connects = 0

    def forget(self) -> None:
        """Discard the memory of earlier counts: the server may have lost them."""
        self._known.clear()

    def calls(self, batch: Batch) -> Counting:
        """Return the calls that count a batch. Counting it again changes nothing."""
        # Counts made over an earlier connection may be lost.
        if self._connects != (connects := self._orders.connects):
            self._connects = connects
            self.forget()
        known, found = self._known, dict[str, int]()
        for change in (batch.changes[index] for index in batch.checkouts):
            session, at_ms = change.session_id, change.silent_since_ms
            if session not in known and at_ms and not (change.fields and is_bot(change.fields)):
                found.setdefault(session, at_ms)
        new = [SessionMoment(session, at_ms) for session, at_ms in islice(found.items(), MOST_OF_A_BATCH)]
        return Counting(self._orders.count(new, batch.placed), [moment.session for moment in new])

    def remember(self, sessions: Sequence[str]) -> None:
        """Don't count these sessions again."""
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known.update(sessions)
