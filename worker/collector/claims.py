"""What counts of an event that a public key reported. Every visitor of a shop can read a public key."""

from detectors.json_values import JsonObject
from worker.collector.source import Reading

SERVER_ONLY = "payment_declined needs a server key"
_STARTS_A_CONTACT = "payment_declined"


def permitted(reading: Reading, *, is_public: bool) -> Reading:
    """Return what a key can report: a public one describes visits and stops contacts, but doesn't permit or start any.

    It can't report a declined payment, the end of a voucher or a consent.
    """
    if not is_public:
        return reading
    kept = [_as_claim(event) for event in reading.events if not _is_declined(event)]
    dropped = len(reading.events) - len(kept)
    return Reading(kept, [*reading.ignored, *[SERVER_ONLY] * dropped], reading.problem)


def _is_declined(event: JsonObject) -> bool:
    kind = event.get("type")
    return isinstance(kind, str) and _STARTS_A_CONTACT.replace("_", "") == "".join(filter(str.isalpha, kind)).lower()


def _as_claim(event: JsonObject) -> JsonObject:
    claim = {name: value for name, value in event.items() if name != "expires_at"}
    customer = claim.get("customer")
    if isinstance(customer, dict) and "consent" in customer:
        consent = customer["consent"]
        refused = (
            {name: False for name, value in consent.items() if value is False} if isinstance(consent, dict) else {}
        )
        rest = {name: value for name, value in customer.items() if name != "consent"}
        claim["customer"] = rest | ({"consent": refused} if refused else {})
    return claim
