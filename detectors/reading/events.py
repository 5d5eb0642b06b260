"""From any document to the canonical form of an event."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from pydantic import ValidationError
from pydantic_core import from_json

from detectors.activity import ActivityEvent, Cart, Engagement
from detectors.activity_fields import SESSION_ID_FORM
from detectors.flow import PLATFORMS, STAGES, EventType
from detectors.json_values import JsonValue
from detectors.normalize.text import words
from detectors.problem import Problem
from detectors.reading import carts, consents, ids, people
from detectors.reading.names import EMPTY, choice, event_type, renamed, squash
from detectors.reading.signs import NAMES_OTHERS, is_marked_empty
from detectors.reading.values import document, part, scalar, session_id, shortened, text

_ENVELOPES = words("event data payload body detail message properties object records")
_MOST_WRAPS = 5
_OUTER = words("notification webhook event message track")
"""Types of an envelope, which don't describe the event inside."""
_TYPE_NAMES = words("event eventtype eventname topic")
_LOOSE_TYPE_NAMES = words("eventkind action kind name messagetype")
"""Fields that can hold the type if there is no `type`. They can also mean something else."""
_ORDER_SIGNS = words("ordervalue orderid ordernumber order ordertotal orderkey")
_UNREADABLE_ID = f"must be {SESSION_ID_FORM}"
_ACTIVITY_ONLY = f"names no type of event ({', '.join(get_args(EventType))}); it was read as activity of its session"
_WRAPPED = "is wrapped in a list or in text; it was read as activity of its session"


@dataclass(slots=True)
class Canonical:
    """An event in the canonical form, as far as it could be read."""

    fields: dict[str, object]
    problems: list[Problem] = field(default_factory=list)
    """Parts that couldn't be read."""
    notes: list[Problem] = field(default_factory=list)
    """What was read although it isn't in the canonical form."""


def canonical(value: object) -> Canonical | None:
    """Return an event in the canonical form; None if it isn't an object."""
    event, wrapped = _unwrapped(value)
    if not isinstance(event, dict):
        return None
    kind, how = _kind(event)
    stops = kind is not None and kind != "activity"
    fields = renamed(event, ActivityEvent, first=stops)
    found = Canonical({})
    if kind is None:
        found.problems.append(Problem("type", _ACTIVITY_ONLY))
        if is_marked_empty(event, _TYPE_NAMES):
            fields["cart"] = None
    elif how != "exact":
        found.notes.append(Problem("type", f"was read as {kind}"))
    if wrapped and not stops:
        found.problems.append(Problem("", _WRAPPED))
    _sessions(found, event, fields, kind)
    _customer(found, event, fields, kind)
    _keep_refusal(found)
    if "cart" in fields:
        found.fields["cart"] = carts.cart(fields["cart"], found.problems)
    if kind is None or (wrapped and not stops):
        _keep_activity(found)
    else:
        _rest(found, fields)
    if "occurred_at" in fields and scalar(fields["occurred_at"]) != "":
        found.fields["occurred_at"] = scalar(fields["occurred_at"])
    return found


def _unwrapped(value: object) -> tuple[object, bool]:
    """Return an event without its text, list or envelope, and whether it had one."""
    wrapped = False
    for _ in range(_MOST_WRAPS):
        inner = _decoded(scalar(value))
        if isinstance(inner, dict) and not _says_itself(inner):
            inside = [scalar(document(one)) for key, one in inner.items() if squash(key) in _ENVELOPES]
            objects = [one for one in inside if isinstance(one, dict) and _has(one, "type", "sessionid", *_ENVELOPES)]
            inner = objects[0] if len(objects) == 1 else inner
        if inner is value:
            break
        value, wrapped = inner, True
    return value, wrapped


def _decoded(value: object) -> object:
    """Return the JSON value in a text, up to three levels deep."""
    if isinstance(value, str) and value[:1] == '"':
        try:
            return from_json(value)
        except ValueError:
            return value
    return document(value)


def _says_itself(event: dict[str, object]) -> bool:
    """Whether an object is the event itself and not an envelope around one."""
    stated = [value for key, value in event.items() if squash(key) == "type"]
    outer = all(isinstance(value, str) and squash(value) in _OUTER for value in stated)
    return _has(event, "sessionid") or not outer


def _has(event: dict[str, object], *names: str) -> bool:
    return not {squash(key) for key in event}.isdisjoint(names)


def _kind(event: dict[str, object]) -> tuple[EventType | None, Literal["exact", "read"]]:
    stated = [scalar(value) for key, value in event.items() if squash(key) == "type"]
    kinds = [event_type(value) for value in stated if isinstance(value, str)]
    if not any(kinds):
        missing = not any(isinstance(value, str) and value.strip() for value in stated)
        names = _TYPE_NAMES | _LOOSE_TYPE_NAMES if missing else _TYPE_NAMES
        others = [scalar(value) for key, value in event.items() if squash(key) in names]
        kinds = [event_type(value) for value in others if isinstance(value, str)]
    stop = next((kind for kind in kinds if kind not in {None, "activity"}), None)
    if stop is not None:
        return stop, "exact" if event.get("type") == stop else "read"
    if "activity" in kinds:
        return "activity", "exact" if event.get("type") == "activity" else "read"
    if all(value in EMPTY or not isinstance(value, str) for value in stated) and _has(event, *_ORDER_SIGNS):
        return "order_completed", "read"
    return None, "read"


def _sessions(found: Canonical, event: dict[str, object], fields: dict[str, object], kind: EventType | None) -> None:
    found.fields["type"] = kind or "activity"
    own, stops = session_id(fields.get("session_id")), kind not in {None, "activity"}
    previous = fields.get("previous_session_id")
    if previous not in EMPTY:
        found.fields["previous_session_id"] = session_id(previous) or previous
    if own is not None:
        found.fields["session_id"] = own
    elif fields.get("session_id") not in EMPTY:
        if stops:
            found.problems.append(Problem("session_id", _UNREADABLE_ID))
        else:
            found.fields["session_id"] = fields["session_id"]
    if stops:
        named = ids.cart_ids(event)
        if own is None and named:
            own, found.fields["session_id"] = named[0], named[0]
            found.notes.append(Problem("session_id", "was read from another field"))
        if kind in {"order_completed", "payment_pending"} and set(named) - {own}:
            found.fields["cart_ids"] = [one for one in named if one != own]


def _customer(found: Canonical, event: dict[str, object], fields: dict[str, object], kind: EventType | None) -> None:
    customer = people.customer(fields.get("customer"), first=kind not in {None, "activity"})
    elsewhere = consents.consent(
        [*(value for key, value in event.items() if squash(key) == "consent"), consents.refusal(event)]
    )
    if kind in NAMES_OTHERS:
        known = customer if isinstance(customer, dict) else {}
        others = people.named(event, contacts=kind == "opt_out")
        if "session_id" not in found.fields:
            for one in others:
                known |= {name: value for name, value in one.items() if known.get(name) in EMPTY}
            customer = known or customer
        # Use these only to mark the person that bought or refused: a number found elsewhere must not be contacted.
        others = [one for one in others if not one.items() <= known.items()]
        if others:
            found.fields["also_named"] = others
    refused = {channel: False for channel in ("call", "whatsapp") if elsewhere and elsewhere.get(channel) is False}
    if refused:
        if not isinstance(customer, dict):
            customer = {}
        customer["consent"] = {**(customer.get("consent") or {}), **refused}
    if customer is not None or "customer" in fields:
        found.fields["customer"] = customer


def _keep_refusal(found: Canonical) -> None:
    """Leave out an unreadable id if the event refuses a channel: the refusal still counts for the person."""
    read = found.fields
    customer = read.get("customer")
    consent = (customer.get("consent") if isinstance(customer, dict) else None) or {}
    if False in consent.values() and "session_id" in read and session_id(read["session_id"]) is None:
        found.problems.append(Problem("session_id", _UNREADABLE_ID))
        del read["session_id"]


def _keep_activity(found: Canonical) -> None:
    """Leave only what can't start a contact: the session, a refusal, an emptied cart."""
    read = found.fields
    customer: JsonValue
    customer, cart = read.pop("customer", None), read.get("cart", False)
    consent = customer.get("consent") if isinstance(customer, dict) else None
    refused = {channel: answer for channel, answer in (consent or {}).items() if answer is False}
    if refused:
        person = {} if "session_id" in read else {key: customer[key] for key in _IDENTITY_FIELDS if key in customer}
        read["customer"] = {**person, "consent": refused}
    if not _is_emptied(cart):
        read.pop("cart", None)
    read.pop("previous_session_id", None)


def _is_emptied(cart: object) -> bool:
    try:
        return cart is None or Cart.model_validate(cart).is_empty
    except ValidationError:
        return False


_IDENTITY_FIELDS = ("phone_number", "email", "country_code")


def _rest(found: Canonical, fields: dict[str, object]) -> None:
    read = found.fields
    for name, of in (("flow_stage", STAGES), ("platform", PLATFORMS)):
        value = scalar(fields.get(name))
        if value not in EMPTY:
            read[name] = choice(value, of) or value if isinstance(value, str) else value
    if "engagement" in fields:
        read["engagement"] = _engagement(fields["engagement"])
    if fields.get("expires_at") not in EMPTY:
        read["expires_at"] = scalar(fields["expires_at"])
    if fields.get("currency") not in EMPTY:
        read["currency"] = text(fields["currency"])
    if fields.get("order_value") not in EMPTY:
        read["order_value"] = fields["order_value"]
        cart = read.get("cart")
        code = read.get("currency") or (cart.get("currency") if isinstance(cart, dict) else None)
        carts.amount(read, "order_value", code, found.problems)


def _engagement(value: object) -> object:
    found = part(value)
    if found == "" and isinstance(found, str):
        return None
    if not isinstance(found, dict):
        return found
    fields = renamed(found, Engagement, first=True)
    read = {name: fields[name] for name in Engagement.model_fields if name in fields}
    for name in ("preferred_channel", "reason"):
        if name in read:
            read[name] = shortened(read[name])
    if "metadata" in read:
        read["metadata"] = part(read["metadata"])
    return read
