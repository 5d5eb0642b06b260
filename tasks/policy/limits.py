"""How often one person may be contacted. Pure: the policy and the reservation ask the same functions."""

from collections.abc import Sequence

from state.limit import Limit
from state.people import ContactRecord


def held_for(others: Sequence[ContactRecord], *, now_ms: int, lease_ms: int) -> int:
    """Return for how long (ms) another attempt may still end without a contact; 0 when there is none."""
    return max((held.at_ms + lease_ms - now_ms for held in others), default=0)


def is_reached(limit: Limit, others: Sequence[ContactRecord], *, now_ms: int, lease_ms: int) -> bool:
    """Whether the contacts of other outreaches leave no room for another one.

    A contact may have been made up to a lease after its reservation, so that much longer does it count.
    """
    return sum(now_ms - held.at_ms < limit.period_ms + lease_ms for held in others) >= limit.count
