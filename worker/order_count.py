"""Which sessions of a batch reach the checkout and which orders it has, so that missing orders are noticed."""

from collections.abc import Callable

from detectors.sequence import ACTIVITY_RANK, RANK_SPAN
from state.orders import Moment, Orders
from tasks.record import is_bot
from worker.batch import Batch

CHECKOUT_RANK = min(rank for (stage, _), rank in ACTIVITY_RANK.items() if stage in {"checkout", "payment"})
MOST_OF_A_BATCH = 200
"""New sessions of a batch that are counted. Beyond that a part stands for all: none of the others counts at all."""
MOST_KNOWN = 100_000


class OrderCount:
    """Counts the batches of one process."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._known: set[str] = set()
        """Sessions that are counted: most events of a session are not its first."""

    def begin(self, batch: Batch) -> Callable[[], None]:
        """Begin to count a batch; what is returned waits until it is done. Counting it again changes nothing.

        Raises:
            StateError: (so does what is returned) count it again.
        """
        known, found = self._known, dict[str, int]()
        for change in [change for change in batch.changes if change.activity % RANK_SPAN >= CHECKOUT_RANK]:
            session, at_ms = change.session_id, change.silent_since_ms
            if session not in known and at_ms and not is_bot(change.fields):
                found.setdefault(session, at_ms)
        new: list[Moment] = list(found.items())[:MOST_OF_A_BATCH]
        counted = self._orders.begin_count(new, batch.placed)

        def wait() -> None:
            counted()
            if len(known) > MOST_KNOWN:
                known.clear()
            known.update(session for session, _ in new)

        return wait
