"""How each field of an event was understood. It shows values, because an operator gave the events to a command."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detectors.activity import Cart, Customer
from detectors.normalize import countries, emails, languages, money, names, phones, text
from detectors.parsing import Parsed
from detectors.reading.names import squash
from tasks.policy.law.places import place_of
from worker.logs.masking import one_line

_MOST_SHOWN = 80  # characters of a value


@dataclass(frozen=True, slots=True)
class FieldReading:
    """A field's value, and its interpretation."""

    field: str
    message: str
    """Completes the field's name: `"0055 51 98765-4321" with BR → +5551987654321`."""

    def __str__(self) -> str:
        return f"{self.field} {self.message}" if self.field else self.message


def readings(document: object, parsed: Parsed) -> Iterator[FieldReading]:
    """Yield the interpretation of an event: its phone number, and each field whose meaning differs from its text."""
    event = parsed.event
    for note in parsed.notes:
        yield FieldReading(note.field, note.message)
    if event is None:
        return
    if event.session_id is not None and not isinstance(_at(document, "session_id"), str | None):
        yield FieldReading("session_id", f"→ {_shown(event.session_id)}")
    if event.also_sessions:
        yield FieldReading("cart_ids", f"→ {', '.join(map(_shown, event.also_sessions))} would be closed, too")
    for field in ("occurred_at", "expires_at"):
        moment, written = getattr(event, field), _at(document, field)
        if moment is not None and str(written).replace("Z", "+00:00") != moment.isoformat():
            yield FieldReading(field, f"{_quoted(written)} → {moment.isoformat()}")
    if event.customer is not None:
        yield from _customer(event.customer, _part(document, "customer"))
    for one in event.also_named:
        yield from _customer(one, {}, prefix="")
    if "cart" in event.model_fields_set:
        yield from _cart(event.cart, _part(document, "cart"))
    yield from _currency("currency", event.currency)
    yield from _amount("order_value", _at(document, "order_value"), event.order_value)


def _customer(
    customer: Customer, written: Mapping[str, object], *, prefix: str = "customer."
) -> Iterator[FieldReading]:
    country = countries.country(customer.country_code or "")
    if customer.phone_number:
        number = phones.phone(customer.phone_number, country)
        yield FieldReading(f"{prefix}phone_number", _number(customer.phone_number, country))
        if number and (not country or countries.dialling_code(customer.country_code or "")):
            country = phones.country_of_phone(number)
            if not customer.country_code:
                yield FieldReading(f"{prefix}country_code", f"is taken from the number → {country or 'none'}")
    read = {
        "full_name": names.person_name(customer.full_name) if customer.full_name else None,
        "email": emails.email(customer.email) if customer.email else None,
        "country_code": country,
        "language": languages.language(customer.language, country) if customer.language else None,
    }
    for field, meant in read.items():
        stated = getattr(customer, field)
        if stated and stated != meant:
            yield FieldReading(f"{prefix}{field}", f"{_quoted(stated)} → {_shown(meant) if meant else 'left out'}")
    found = phones.phone(customer.phone_number, country) if customer.phone_number else None
    stated_place = {"region": customer.region or "", "time_zone": customer.time_zone or ""}
    for field in place_of(found or "", country or "", **stated_place).ignored:
        name = field.removeprefix("customer.")
        yield FieldReading(f"{prefix}{name}", f"{_quoted(stated_place[name])} → left out")
    consent = customer.consent
    if consent is not None and written:
        answers = {"call": consent.call, "whatsapp": consent.whatsapp}
        if _named(written, "consent") != {channel: stated for channel, stated in answers.items() if stated is not None}:
            summary = ", ".join(
                f"{channel} {'yes' if stated else 'no'}" for channel, stated in answers.items() if stated is not None
            )
            yield FieldReading(f"{prefix}consent", f"→ {summary or 'no answer'}")


def _number(written: str, country: str | None) -> str:
    found = phones.reading(written, country)
    with_country = f" with {country}" if country else ""
    return one_line(found.note) if found.e164 else f"{_quoted(written)}{with_country} → no number: it {found.why_not}"


def _cart(cart: Cart | None, written: Mapping[str, object]) -> Iterator[FieldReading]:
    if cart is None or cart.is_empty:
        yield FieldReading("cart", "→ emptied")
        return
    yield from _currency("cart.currency", cart.currency)
    yield from _amount("cart.total_value", _named(written, "total_value"), cart.total_value)
    rows = _named(written, "items")
    for index, item in enumerate(cart.items or ()):
        row = rows[index] if isinstance(rows, list) and index < len(rows) else None
        if isinstance(row, dict):
            yield from _amount(f"cart.items.{index}.price", _named(row, "price"), item.price)
        if item.name and text.clean(item.name) != item.name:
            yield FieldReading(f"cart.items.{index}.name", f"{_quoted(item.name)} → {_shown(text.clean(item.name))}")


def _currency(field: str, written: str | None) -> Iterator[FieldReading]:
    if written and money.currency(written) is None:
        yield FieldReading(field, f"{_quoted(written)} → left out")


def _amount(field: str, written: object, read: float | None) -> Iterator[FieldReading]:
    if isinstance(written, str) and written.strip() and read is not None:
        yield FieldReading(field, f"{_quoted(written)} → {money.amount(read, None)}")


def _part(document: object, name: str) -> Mapping[str, object]:
    found = _at(document, name)
    return found if isinstance(found, dict) else {}


def _at(document: object, name: str) -> object:
    return _named(document, name) if isinstance(document, dict) else None


def _named(part: Mapping[str, object], name: str) -> object:
    return part[name] if name in part else next((part[key] for key in part if squash(key) == squash(name)), None)


def _quoted(value: object) -> str:
    return f'"{_shown(value)}"' if isinstance(value, str) else _shown(value)


def _shown(value: object) -> str:
    shown = one_line(str(value))
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"
