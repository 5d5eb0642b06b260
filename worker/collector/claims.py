"""What counts of an event that a public key reported. Every visitor of a shop can read a public key."""

from pydantic_core import to_json

from detectors import parsing
from detectors.json_values import JsonObject
from worker.collector.source import Reading
from worker.collector.visits import Unplaced

SERVER_ONLY = "payment_declined needs a server key"
UNREADABLE = "an event can't be read"


def permitted(reading: Reading, *, is_public: bool) -> Reading:
    """Return what a key can report: a public one describes visits and stops contacts, but doesn't permit or start any.

    It can't report a declined payment, the end of a voucher or a consent. Its events are read here as ingest would read
    them: of an event that can't be read, it isn't known what it claims.
    """
    if not is_public:
        return reading
    events: list[JsonObject | Unplaced] = []
    ignored = [*reading.ignored]
    for event in reading.events:
        claim = event if isinstance(event, Unplaced) else _as_claim(event)
        if isinstance(claim, str):
            ignored.append(claim)
        else:
            events.append(claim)
    return Reading(events, ignored, reading.problem)


def _as_claim(event: JsonObject) -> JsonObject | str:
    """Return what counts of an event, or why nothing does."""
    read = parsing.parse(to_json(event, inf_nan_mode="null")).event
    if read is None:
        return UNREADABLE
    if read.type == "payment_declined":
        return SERVER_ONLY
    claim: JsonObject = read.model_dump(mode="json", exclude_unset=True)
    claim.pop("expires_at", None)
    customer = claim.get("customer")
    if isinstance(customer, dict) and "consent" in customer:
        consent = customer.pop("consent") or {}
        if refused := {channel: False for channel, answer in consent.items() if answer is False}:
            customer["consent"] = refused
    return claim
