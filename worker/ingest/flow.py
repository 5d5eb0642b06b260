"""Counts a batch for the event flow: events by type and stage, and the findings of a closer inspection of some.

In a small batch every event is inspected, in a large one three. Under load that is still a hundred per second.
"""

import re
from collections import Counter
from collections.abc import Sequence
from random import randrange

from pydantic_core import from_json

from detectors.activity import MAX_EVENT_BYTES, ActivityEvent
from detectors.event_warnings import warnings
from detectors.flow import PLATFORMS, STAGES
from detectors.normalize import phones
from detectors.normalize.countries import country
from detectors.parsing import parse, unknown_fields
from detectors.reading import signs
from detectors.sequence import RANK_SPAN, epoch_ms
from state import event_flow as flow
from state.event_flow import MINUTE_MS, FlowCounts
from state.event_stream import StreamEntry
from worker.ingest.batch import Batch

SMALL_BATCH, INSPECTED_OF_LARGE = 32, 3
_MOST_UNKNOWN = 20
"""The largest number of unknown names of one event that are counted."""
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_DIGITS = re.compile(r"[0-9]{5}|[0-9](?:[._\-]*[0-9]){6}")
_USUAL = [f"{flow.TYPE}activity.{stage}" for stage in STAGES for _ in PLATFORMS]


def count_flow(batch: Batch, entries: Sequence[StreamEntry], latest_ms: int | None) -> FlowCounts | None:
    """Return a batch's counts for the event flow; None for a batch without entries. Never raises on an entry.

    `latest_ms`: see `worker.ingest.batch.collect`.
    """
    if not entries:
        return None
    arrivals = (entries[0].arrival_ms, entries[-1].arrival_ms)
    last_ms = max(arrivals) if latest_ms is None else min(latest_ms, max(arrivals))
    minute = last_ms // MINUTE_MS
    counts = FlowCounts(last_ms)
    for kind, number in Counter(batch.kinds).items():
        if isinstance(kind, int):
            at, rank = divmod(kind, RANK_SPAN)
            name = _USUAL[rank]
        else:
            at, name = kind[0], f"{flow.TYPE}{kind[1]}"
        if (of_minute := counts.minutes.get(at)) is None:
            of_minute = counts.minutes[at] = Counter()
        of_minute[name] += number
    found = counts.minutes.setdefault(minute, Counter())
    if batch.rejections:
        whole = len({rejection.entry_id for rejection in batch.rejections if not rejection.applied})
        found[flow.REJECTED] += whole
        found[flow.PARTIAL] += len({rejection.entry_id for rejection in batch.rejections}) - whole
    for entry in _some(entries):
        if entry.event is not None:
            _inspect(entry.event, min(last_ms, entry.arrival_ms), counts, found)
    return counts


def _some(entries: Sequence[StreamEntry]) -> Sequence[StreamEntry]:
    if len(entries) <= SMALL_BATCH:
        return entries
    step = len(entries) // INSPECTED_OF_LARGE
    return entries[randrange(step) :: step][:INSPECTED_OF_LARGE]  # noqa: S311 - a sample


def _inspect(raw: bytes, arrival_ms: int, counts: FlowCounts, found: Counter[str]) -> None:
    found[flow.INSPECTED] += 1
    document, event = _document(raw), parse(raw).event
    unknown = [name for name in dict.fromkeys(unknown_fields(document)) if not _is_used(event, name)]
    if unknown:
        found[flow.UNKNOWN] += 1
        counts.names.update({_kept(name) for name in unknown[:_MOST_UNKNOWN]})
    if event is None:
        return
    if event.customer is not None:
        found[flow.CUSTOMER] += 1
        of = country(event.customer.country_code or "")
        number = phones.phone(event.customer.phone_number, of) if event.customer.phone_number else None
        found[flow.NO_PHONE] += number is None
        found[flow.NO_COUNTRY] += of is None and (number is None or phones.country_of_phone(number) is None)
    if event.occurred_at is not None:
        found[f"{flow.LATENESS}{max(0, arrival_ms - epoch_ms(event.occurred_at)).bit_length()}"] += 1
    for code in {warning.code for warning in warnings(event, document, arrival_ms)}:
        found[f"{flow.WARNING}{code}"] += 1


def _document(raw: bytes) -> object:
    try:
        return from_json(raw) if len(raw) <= MAX_EVENT_BYTES else None
    except ValueError:
        return None


def _is_used(event: ActivityEvent | None, name: str) -> bool:
    return event is not None and signs.is_used(event.type, name.rpartition(".")[2])


def _kept(name: str) -> str:
    """Return a field's name; empty if it may be a value, such as an address or a number used as a key."""
    return name if _FIELD_NAME.fullmatch(name) and not _DIGITS.search(name) else ""
