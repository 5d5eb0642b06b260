"""One pass over the files of a recording: its silences, and what else it says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress

from detectors.flow import Stage
from detectors.lanes import milliseconds
from tasks.policy.settings import ContactSettings
from thresholds.collector import Collector
from thresholds.observed import Observed, Totals
from thresholds.silences import Claim, Silences
from winback.tuning.claims import Claims
from winback.tuning.eligibility import Shopper, Shoppers
from winback.tuning.events import HourlyCounts, Source, in_order
from winback.tuning.lines import LeftOut
from winback.tuning.quiet_times import quiet_times
from winback.tuning.reading import Reader
from worker.settings import Settings


@dataclass(slots=True)
class Recording:
    """What a recording holds."""

    files: list[str]
    silences: Silences
    totals: Totals
    unreadable: LeftOut
    future: int
    """Events that are dated in the future, which don't count."""
    out_of_order: int
    doubts: list[str]
    """Sentences about the parts of the files that don't count."""
    ids_end_ms: int | None
    """The silence after which session ids end."""
    is_contactable: bool
    """Only shoppers who can be reached count; otherwise all of them."""
    without_session: tuple[float, float]
    """The share of events without a session, in the first and the second half."""
    without_person: tuple[float, float] = (0.0, 0.0)
    """The share of sessions without a person, in the first and the second half. None has one: both 0."""
    without_cart: tuple[Stage, ...] = ()
    """Stages that `contact.needs_cart` leaves out, because no event has a cart."""


def read_recording(
    names: Sequence[str],
    settings: Settings,
    *,
    claims: Claims | None = None,
    all_shoppers: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Recording:
    """Read the files, one after the other.

    Args:
        names: Paths, or `-` for standard input.
        settings: Those in force.
        claims: The contacts that were made while it was taken.
        all_shoppers: Count shoppers who can't be reached, too. Always true if the recording names no customers.
        progress: Called with the bytes that have been read so far.

    Raises:
        StartError: A file can't be read, holds no events, or isn't sorted.
    """
    source = Source(Reader(settings.detection, with_values=_has_minimums(settings.contact)), progress)
    shoppers, hours = Shoppers(settings.contact), HourlyCounts()
    collector = _collector(shoppers, settings, claims)
    for events in in_order(source.events(names)):
        for event in events:
            collector.take(event)
        hours.add(events)
    silences = collector.finish()
    source.require_order(collector.totals.events, hours.out_of_order)
    if is_contactable := shoppers.has_customers and not all_shoppers:
        silences = _only(silences, shoppers.contactable)
    found = _found(source, hours, silences, collector, is_contactable=is_contactable)
    found.silences.closed = tuple(
        quiet_times(clock, found.totals.first_ms, found.totals.last_ms) for clock in shoppers.clocks
    )
    found.without_cart = shoppers.without_cart
    if shoppers.has_customers:
        found.without_person = _without_person(found.totals)
    return found


def _found(
    source: Source[Observed],
    hours: HourlyCounts,
    silences: Silences,
    collector: Collector[Shopper],
    *,
    is_contactable: bool,
) -> Recording:
    totals = collector.totals
    return Recording(
        files=[file.name for file in source.files],
        silences=silences,
        totals=totals,
        unreadable=source.unreadable,
        future=source.future.number_of_lines,
        out_of_order=hours.out_of_order,
        doubts=source.doubts,
        ids_end_ms=collector.gaps.edge_ms(totals.last_ms - totals.first_ms),
        is_contactable=is_contactable,
        without_session=hours.without_session(_middle_ms(totals)),
    )


def _has_minimums(contact: ContactSettings) -> bool:
    minimums = [one.min_value for one in contact.by_stage.values()]
    minimums += [one.min_value for one in contact.by_country.values()]
    return bool(contact.min_value) or any(minimums)


def _middle_ms(totals: Totals) -> int:
    return (totals.first_ms + totals.last_ms) // 2


def _collector(shoppers: Shoppers, settings: Settings, claims: Claims | None) -> Collector[Shopper]:
    return Collector(
        shoppers,
        cooldown_ms=milliseconds(settings.contact.purchase_cooldown),
        bot_events=settings.ingest.bot_events_per_minute,
        claim_of=claims.of if claims else _no_claim,
    )


def _no_claim(_session: str) -> Claim | None:
    return None


def _without_person(totals: Totals) -> tuple[float, float]:
    number, named, middle_ms = [0, 0], [0, 0], _middle_ms(totals)
    for start_ms, has_person in zip(totals.starts, totals.named, strict=True):
        half = start_ms >= middle_ms
        number[half] += 1
        named[half] += has_person
    if not all(number):
        return 0.0, 0.0
    return 1 - named[0] / number[0], 1 - named[1] / number[1]


def _only(silences: Silences, wanted: Sequence[int]) -> Silences:
    """Return the wanted silences."""
    places = list(compress(range(len(silences.begin)), wanted))
    new_place = {old: new for new, old in enumerate(places) if old in silences.claims}
    columns = ("session", "begin", "end", "order", "rank", "group", "clock")
    for name in columns:
        column = getattr(silences, name)
        setattr(silences, name, type(column)(column.typecode, compress(column, wanted)))
    silences.claims = {new: silences.claims[old] for old, new in new_place.items()}
    return silences
