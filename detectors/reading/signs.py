"""Whether a valid event holds more information under names outside the canonical form."""

from collections.abc import Collection

from detectors.activity import ActivityEvent, Cart, Customer
from detectors.flow import EventType
from detectors.normalize.text import words
from detectors.reading import ids, people
from detectors.reading.carts import COUNTS, EMPTIED, LINES
from detectors.reading.consents import AGAINST, ALSO_ASKED, ALSO_ASKED_OF
from detectors.reading.names import fields_of, squash
from detectors.reading.values import scalar

_REFUSALS = AGAINST | ALSO_ASKED | ALSO_ASKED_OF.keys()
_OF_EVENT = frozenset(fields_of(ActivityEvent)) | _REFUSALS | {"consent"}
_OF_CUSTOMER = frozenset(fields_of(Customer)) | _REFUSALS
_OF_CART = frozenset(fields_of(Cart)) | LINES | COUNTS | EMPTIED
_EMPTIED_TYPES = words(
    "cartemptied cartempty emptycart emptiedcart cartcleared clearcart clearedcart cartdeleted cartremoved"
)

NAMES_OTHERS = frozenset({"order_completed", "payment_pending", "opt_out"})
"""Events that stop a contact: the people and carts that they name count wherever they are named."""


def in_unknown_fields(event: ActivityEvent) -> bool:
    """Whether an unknown field might be a signal, or name the person of a signal.

    Any further field of an order can name the cart or the buyer.
    """
    customer, cart = event.customer, event.cart
    of_event = event.__pydantic_extra__
    of_customer = customer.__pydantic_extra__ if customer else None
    of_cart = cart.__pydantic_extra__ if cart else None
    if event.type in NAMES_OTHERS and (
        of_event or of_customer or of_cart or (event.engagement and event.engagement.metadata)
    ):
        return True
    if of_event and not _OF_EVENT.isdisjoint(map(squash, of_event)):
        return True
    if of_customer and not _OF_CUSTOMER.isdisjoint(map(squash, of_customer)):
        return True
    if customer and customer.consent and customer.consent.__pydantic_extra__:
        return True
    return bool(of_cart) and not _OF_CART.isdisjoint(map(squash, of_cart or ()))


def is_used(kind: EventType, name: str) -> bool:
    """Whether a field of this name, which the canonical form lacks, is read in an event of this type."""
    if kind in NAMES_OTHERS and people.is_person_field(name):
        return True
    return (kind in NAMES_OTHERS and ids.is_id_field(name)) or squash(name) in _REFUSALS | {"consent"}


def is_marked_empty(event: dict[str, object], type_names: Collection[str]) -> bool:
    """Whether the type of an event says that its cart was emptied."""
    stated = [scalar(value) for key, value in event.items() if squash(key) in {"type", *type_names}]
    return any(isinstance(value, str) and squash(value) in _EMPTIED_TYPES for value in stated)
