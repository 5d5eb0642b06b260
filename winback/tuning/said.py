"""The part of an event that decides about a contact: customer, consent, cart, and marks of a bot."""

from typing import NamedTuple

from detectors.activity import ActivityEvent
from detectors.normalize import money
from detectors.normalize.names import person_name
from detectors.session_fields import CONSENT, METADATA, PHONE_COUNTRY, cart_of, fields_of, is_bot, read_answer
from tasks.policy.situation import value_of

EMPTIED, CLOSED, FILLED = "emptied", "closed", "filled"
"""A cart that the shopper emptied, one that was bought, and one whose value doesn't matter."""
_OF_A_BOT = f"{METADATA}bot"


class Worth(NamedTuple):
    """The value of a cart."""

    value: float | None
    currency: str
    """ISO 4217, or empty."""


CartState = str | Worth


class Said(NamedTuple):
    """The news of one event. None: it has no news; an empty text clears a field."""

    named: bool | None = None
    """Whether the customer has a name that a request can hold."""
    phone: str | None = None
    phone_country: str | None = None
    country: str | None = None
    region: str | None = None
    time_zone: str | None = None
    call: bool | None = None
    whatsapp: bool | None = None
    cart: CartState | None = None
    bot: bool | None = None
    email: bool | None = None
    """Whether there is an e-mail address."""

    @property
    def has_customer(self) -> bool:
        """Whether the event names a customer in any way."""
        return bool(self.named or self.phone or self.email)


NOTHING = Said()


def said_by(event: ActivityEvent, *, with_value: bool) -> Said | None:
    """Return an event's news; None if it has none. `with_value`: whether the value of carts matters."""
    fields = fields_of(event)
    bought = event.type == "order_completed"
    if not fields and not bought:
        return None
    cart: CartState | None = None
    if bought:
        cart = CLOSED
    elif "cart" in fields:
        cart = _cart(fields) if with_value else FILLED if fields["cart"] else EMPTIED
    found = Said(
        named=person_name(fields["name"]) is not None if "name" in fields else None,
        phone=fields.get("phone"),
        phone_country=fields.get(PHONE_COUNTRY),
        country=fields.get("country"),
        region=fields.get("region"),
        time_zone=fields.get("time_zone"),
        call=read_answer(fields.get(CONSENT["call"], "")),
        whatsapp=read_answer(fields.get(CONSENT["whatsapp"], "")),
        cart=cart,
        bot=is_bot(fields) if _OF_A_BOT in fields else None,
        email=bool(fields["email"]) if "email" in fields else None,
    )
    return None if found == NOTHING else found


def merged(known: Said, said: Said, *, is_late: bool) -> Said:
    """Return what is known after an event. A late one only adds what isn't known."""
    first, second = (said, known) if is_late else (known, said)
    pairs = zip(first, second, strict=True)
    found: Said = tuple.__new__(Said, [old if new is None else new for old, new in pairs])
    return found


def _cart(fields: dict[str, str]) -> CartState:
    cart = cart_of(fields)
    return EMPTIED if cart is None else Worth(value_of(cart), money.currency(cart.currency or "") or "")
