"""What a key can report. Every visitor of a shop can read a public key, so its events are claims.

Doubt protects the shopper: a claim can stop a contact, and it can describe a visit. It can't report a refused
payment or a voucher that ran out, allow a channel, or have data erased.
"""

from dataclasses import replace

from pydantic_core import to_json

from detectors import parsing
from detectors.activity import ActivityEvent
from detectors.json_values import JsonObject
from storefronts.results import DataRequest, Erasure, Ignored, Part, Profile, Rejected, Result, Translated
from storefronts.signatures import Signed
from storefronts.write_keys import KeyClass

SERVER_ONLY = "needs a server key"
NO_EVENT = "isn't an event that can be read"
_ANY_SESSION = "any"
"""Takes the place of the session that the collector finds later, while an event is read."""
_CHANNELS = ("call", "whatsapp")


def permitted(result: Result, key_class: KeyClass) -> Result:
    """Return what a key of this class can report of a result."""
    return result if key_class == "server" else Result.of(map(_claimed, result.parts))


def signed_parts(result: Result, signed: Signed) -> Result:
    """Return what a request can report of which this much is signed. Each item of a list became one part."""
    match signed:
        case "all":
            return result
        case "first":
            return Result.of((*result.parts[:1], *map(_claimed, result.parts[1:])))
        case "nothing":
            return Result.of(())


def _claimed(part: Part) -> Part:
    match part:
        case Translated():
            event = as_claim(part.event, is_complete=part.session_by == "id")
            return Ignored(NO_EVENT) if event is None else replace(part, event=event)
        case Profile():
            return replace(part, customer=_without_yes(part.customer))
        case Erasure() | DataRequest():
            return Ignored(SERVER_ONLY)
        case Rejected():
            return Ignored(part.reason, place=part.place)
        case Ignored():
            return part


def as_claim(event: JsonObject, *, is_complete: bool = True) -> JsonObject | None:
    """Return what counts of an event that a public key reported; None if it can't be read.

    `is_complete`: its session isn't found later.
    """
    lacks_session = not is_complete and "session_id" not in event
    document = {"session_id": _ANY_SESSION, **event} if lacks_session else event
    read = parsing.parse(to_json(document, inf_nan_mode="null")).event
    if read is None:
        return None
    claim = _canonical(read)
    if lacks_session:
        del claim["session_id"]
    if "customer" in claim:
        claim["customer"] = _without_yes(claim["customer"])
    # Without the moment, a pending payment only stops contacts. An expired voucher would be a reason for one.
    claim.pop("expires_at", None)
    claim.pop("source", None)
    if read.type == "payment_declined":
        claim |= {"type": "activity", "flow_stage": "payment", "platform": read.platform or "web"}
    return claim


def _canonical(event: ActivityEvent) -> JsonObject:
    return event.model_dump(mode="json", exclude_unset=True)


def _without_yes(customer: JsonObject | None) -> JsonObject:
    """Return a customer without the channels that are allowed; what is refused stays."""
    if not customer or not isinstance(customer.get("consent"), dict):
        return customer or {}
    refused = {channel: False for channel in _CHANNELS if customer["consent"].get(channel) is False}
    kept = {name: value for name, value in customer.items() if name != "consent"}
    return kept | ({"consent": refused} if refused else {})
