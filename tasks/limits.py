"""How often one person may be contacted. Pure: the policy and the reservation ask the same function."""

from collections.abc import Sequence

from detectors.flow import Stage
from detectors.lanes import milliseconds
from state.people import Held, Limit
from tasks.contact_settings import ContactSettings


def limits_of(settings: ContactSettings, stage: Stage) -> tuple[Limit, ...]:
    """Return the limits that hold for a contact at a stage; none when that rule is switched off."""
    return () if "cap" in settings.off else (Limit(1, milliseconds(settings.at(stage).cap)),)


def held_for(others: Sequence[Held], *, now_ms: int, lease_ms: int) -> int:
    """Return for how long (ms) another attempt may still end without a contact; 0 when there is none."""
    return max((held.at_ms + lease_ms - now_ms for held in others), default=0)


def is_reached(limit: Limit, others: Sequence[Held], *, now_ms: int, lease_ms: int) -> bool:
    """Whether the contacts of other outreaches leave no room for another one.

    A contact may have been made up to a lease after its reservation, so that much longer does it count.
    """
    return sum(now_ms - held.at_ms < limit.period_ms + lease_ms for held in others) >= limit.count
