"""Builds the request to Yuno's Recovery Agent: exactly its documented contract, without other fields or nulls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from detectors.activity import MAX_METADATA_BYTES
from detectors.activity import Cart as StoredCart
from detectors.flow import Platform, Stage
from detectors.normalize import countries, emails, languages, money, names, phones, text
from detectors.normalize.contact_details import ContactDetails
from detectors.session_fields import PHONE_COUNTRY, cart_of, metadata_of
from state.channels import Channel
from tasks.delivery.request import AbandonedSession, Cart, Customer, Engagement, Item, RecoveryRequest
from tasks.policy import consent
from tasks.policy.law.places import place_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHANNELS = frozenset({"call", "whatsapp", "auto"})


@dataclass(frozen=True, slots=True)
class Built:
    """A request, and the names of optional fields that were left out because they were invalid."""

    request: RecoveryRequest
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvalidContact:
    """The shop's data doesn't allow a contact."""

    field: str


def build(
    fields: Mapping[str, str], *, session_id: str, stage: Stage, platform: Platform, abandoned_ms: int, reason: str
) -> Built | InvalidContact:
    """Return the request built from a session's stored fields.

    `abandoned_ms` is the Unix ms of the last activity; `reason` is used unless the shop gave one.
    """
    left_out: list[str] = []
    customer = _customer(fields, left_out)
    if isinstance(customer, InvalidContact):
        return customer
    request = RecoveryRequest(
        customer=customer,
        session=AbandonedSession(
            abandonment_timestamp=timestamp(abandoned_ms), flow_stage=stage, platform=platform, session_id=session_id
        ),
        cart=_cart(cart_of(fields), left_out),
        engagement=_engagement(fields, reason, left_out),
    )
    return Built(request, tuple(left_out))


def by_channel(built: Built, may: frozenset[Channel], usual: str) -> Built:
    """Return the request with a channel on which this person can be contacted.

    The shop's choice takes precedence over the `usual` channel; a channel that isn't allowed is replaced by the other.
    """
    engagement = built.request.engagement
    wanted = usual if engagement.preferred_channel == "auto" else engagement.preferred_channel
    channel = consent.choose(wanted, may)
    if channel == engagement.preferred_channel:
        return built
    changed = engagement.model_copy(update={"preferred_channel": channel})
    return replace(built, request=built.request.model_copy(update={"engagement": changed}))


def phone_of(fields: Mapping[str, str]) -> str | None:
    """Return the customer's number in E.164; None if it is missing or invalid.

    A national number written with one country, which a later country turns into another person's number, is ambiguous:
    a shopper who ships abroad still has their home number.
    """
    text, first = fields.get("phone", ""), fields.get(PHONE_COUNTRY, "")
    number = phones.phone(text, countries.country(fields.get("country", "")))
    if number is None or not first or text.startswith("+"):
        return number
    return number if phones.phone(text, countries.country(first)) in {None, number} else None


def contact_of(fields: Mapping[str, str]) -> ContactDetails:
    """Return a session's contact details; empty if missing."""
    return ContactDetails(fields.get("phone", ""), fields.get("country", ""), fields.get("email", ""))


def country_of(written: str, phone: str) -> str | None:
    """Return the customer's country. Without a readable one, or with a dialling code, it is that of the number.

    `phone` is in E.164. None: neither names a country.
    """
    country = countries.country(written)
    if country is not None and countries.dialling_code(written) is None:
        return country
    # Several countries can share a dialling code; the number decides.
    return phones.country_of_phone(phone) or country


def timestamp(ms: int) -> str:
    """Return Unix ms as ISO 8601 in UTC: `2025-05-13T22:45:00Z`, with milliseconds only if there are any."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")


def _customer(fields: Mapping[str, str], left_out: list[str]) -> Customer | InvalidContact:
    name = names.person_name(fields.get("name", ""))
    if name is None:
        return InvalidContact("customer.full_name")
    phone = phone_of(fields)
    if phone is None:
        return InvalidContact("customer.phone_number")
    written = fields.get("country", "")
    country = country_of(written, phone)
    if country is None:
        return InvalidContact("customer.country_code")
    if countries.country(written) is None:
        left_out.append("customer.country_code (taken from the number)")
    left_out += place_of(phone, country, region=fields.get("region", ""), time_zone=fields.get("time_zone", "")).ignored
    return Customer(
        full_name=name,
        phone_number=phone,
        email=_optional(fields, "email", emails.email, "customer.email", left_out),
        country_code=country,
        language=_optional(
            fields, "language", lambda text: languages.language(text, country), "customer.language", left_out
        ),
    )


def _cart(cart: StoredCart | None, left_out: list[str]) -> Cart:
    if cart is None:
        return Cart()
    currency = money.currency(cart.currency) if cart.currency else None
    if cart.currency and currency is None:
        left_out.append("cart.currency")
    items = [
        Item(
            name=text.clean(item.name) if item.name else None,
            sku=text.clean(item.sku) if item.sku else None,
            quantity=item.quantity,
            price=None if item.price is None else money.amount(item.price, currency),
        )
        for item in cart.items or ()
    ]
    total = None if cart.total_value is None else money.amount(cart.total_value, currency)
    kept = tuple(item for item in items if item.model_dump(exclude_none=True))
    return Cart(total_value=total, currency=currency, items=kept or None)


def _engagement(fields: Mapping[str, str], reason: str, left_out: list[str]) -> Engagement:
    channel = fields.get("channel", "").lower() or "auto"
    if channel not in CHANNELS:
        left_out.append("engagement.preferred_channel")
        channel = "auto"
    metadata = {key: _without_nulls(value) for key, value in metadata_of(fields).items()} or None
    engagement = Engagement(
        preferred_channel=channel, reason=text.clean(fields.get("reason", "")) or reason, metadata=metadata
    )
    if metadata and len(engagement.model_dump_json()) > 2 * MAX_METADATA_BYTES:
        left_out.append("engagement.metadata")
        engagement = engagement.model_copy(update={"metadata": None})
    return engagement


def _without_nulls(value: object) -> object:
    match value:
        case dict():
            return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
        case list():
            return [_without_nulls(inner) for inner in value if inner is not None]
        case _:
            return value


def _optional(
    fields: Mapping[str, str], name: str, read: Callable[[str], str | None], label: str, left_out: list[str]
) -> str | None:
    text = fields.get(name)
    if not text:
        return None
    value = read(text)
    if value is None:
        left_out.append(label)
    return value
