"""How often one person can be contacted. Pure: the policy and the reservation share these functions."""

from collections.abc import Sequence

from state.limit import Limit
from state.people import ContactRecord


def held_for(others: Sequence[ContactRecord], *, now_ms: int, lease_ms: int) -> int:
    """Return for how long (ms) another attempt can still end without a contact; 0 if there is none."""
    return max((held.at_ms + lease_ms - now_ms for held in others), default=0)


def is_reached(limit: Limit, others: Sequence[ContactRecord], *, now_ms: int, lease_ms: int) -> bool:
    """Return whether the contacts of other outreaches reach the limit.

    A contact can be made up to a lease after its reservation, so it counts for a lease longer.
    """
    return sum(now_ms - held.at_ms < limit.period_ms + lease_ms for held in others) >= limit.count
