"""How often a person can be contacted. Pure."""

from collections.abc import Iterable, Iterator
from typing import get_args

from detectors.flow import Stage
from detectors.lanes import milliseconds
from state.limit import Limit
from tasks.policy.law.table import entries_of, table
from tasks.policy.settings import ContactSettings


def limits_for(stage: Stage, jurisdictions: tuple[str, ...], settings: ContactSettings) -> tuple[Limit, ...]:
    """Return every limit for a person at a stage, shortest period first.

    These are the shop's (`cap` and `limits`, of the stage and of each country) and those of each law, without the ones
    that a stricter limit implies. With "contacted_recently" in `contact.disabled_rules`, the shop's are left out.
    """
    of_shop = "contacted_recently" not in settings.disabled_rules
    found = list(_of_shop(stage, jurisdictions, settings)) if of_shop else []
    for _, entry in entries_of(jurisdictions, settings.law_off) if settings.law == "on" else ():
        found += entry.limits
    return strictest(found)


def longest_limit_ms(settings: ContactSettings) -> int:
    """Return how long a contact must be kept (ms): the longest period of any limit, at any stage and place."""
    places = [(), *((code,) for code in settings.by_country), *((code,) for code in table())]
    every = (limit for stage in get_args(Stage) for place in places for limit in limits_for(stage, place, settings))
    return max((limit.period_ms for limit in every), default=milliseconds(settings.longest_cap))


def strictest(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """Return the limits without those that another one implies, shortest period first."""
    kept: list[Limit] = []
    for limit in sorted(set(limits), key=lambda limit: (limit.period_ms, limit.count)):
        if not any(_implies(other, limit) for other in kept):
            kept = [other for other in kept if not _implies(limit, other)]
            kept.append(limit)
    return tuple(kept)


def _implies(one: Limit, other: Limit) -> bool:
    """Return whether `one` implies `other`: its periods cover one period of `other` with no more contacts."""
    periods = -(-other.period_ms // one.period_ms)
    return one.count * periods <= other.count


def _of_shop(stage: Stage, jurisdictions: tuple[str, ...], settings: ContactSettings) -> Iterator[Limit]:
    here = settings.at(stage, jurisdictions)
    yield Limit(1, milliseconds(here.cap))
    yield from here.limits
