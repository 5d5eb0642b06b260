"""Which sessions of a batch reach the checkout and which orders it has, so that missing orders are noticed."""

from collections.abc import Callable, Sequence

from detectors.session_fields import is_bot
from state.orders import Moment, Orders
from state.script import NamedCall
from worker.ingest.batch import Batch

MOST_OF_A_BATCH = 200
"""New sessions of a batch that are counted. Beyond that a part stands for all: none of the others counts at all."""
MOST_KNOWN = 100_000


class OrderCount:
    """Counts the batches of one process."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._known: set[str] = set()
        """Sessions that are counted: most events of a session are not its first."""
        self._connects = 0

    def doubt(self) -> None:
        """Rely on nothing that was counted before: the server may have lost it."""
        self._known.clear()

    def calls(self, batch: Batch) -> tuple[Sequence[NamedCall], Callable[[], None]]:
        """Return the calls that count a batch, and what is to be called once they were carried out.

        Counting a batch again changes nothing.
        """
        # What was counted on an earlier connection may be lost.
        if self._connects != (connects := self._orders.connects):
            self._connects = connects
            self.doubt()
        known, found = self._known, dict[str, int]()
        for change in (batch.changes[place] for place in batch.checkouts):
            session, at_ms = change.session_id, change.silent_since_ms
            if session not in known and at_ms and not (change.fields and is_bot(change.fields)):
                found.setdefault(session, at_ms)
        new: list[Moment] = list(found.items())[:MOST_OF_A_BATCH]

        def counted() -> None:
            if len(known) > MOST_KNOWN:
                known.clear()
            known.update(session for session, _ in new)

        return self._orders.count(new, batch.placed), counted
