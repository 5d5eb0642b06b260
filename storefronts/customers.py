"""The customer of an event, from the fields that a source has for it."""

from collections.abc import Iterable

from detectors.json_values import JsonObject, JsonValue
from detectors.normalize.countries import country
from detectors.normalize.phones import phone
from detectors.normalize.yes_no import answer
from storefronts.options import Options
from storefronts.values import at, first, label, short, text

_MOST_PEOPLE = 8
_LONGEST = 256


def customer(
    *,
    name: str = "",
    phones: Iterable[JsonValue] = (),
    emails: Iterable[JsonValue] = (),
    countries: Iterable[JsonValue] = (),
    language: JsonValue = None,
    consent: JsonObject | None = None,
) -> JsonObject:
    """Return the customer without empty fields. The phone number is the first that can be read."""
    country_code = _first(countries)
    found = {
        "full_name": label(name),
        "phone_number": _readable(phones, country_code),
        "email": _first(emails),
        "country_code": country_code,
        "language": _field(language),
        "consent": consent,
    }
    return {name: value for name, value in found.items() if value}


def others(
    known: JsonObject, *, phones: Iterable[JsonValue] = (), emails: Iterable[JsonValue] = ()
) -> list[JsonObject]:
    """Return the further people that an order names, each by one phone number or e-mail address.

    They have bought, too; none of them is contacted.
    """
    place = {"country_code": known["country_code"]} if "country_code" in known else {}
    found = [
        {field: value} for field, values in (("phone_number", phones), ("email", emails)) for value in _all(values)
    ]
    fresh = [one for one in found if not one.items() <= known.items()]
    return [one | place for at_, one in enumerate(fresh) if one not in fresh[:at_]][:_MOST_PEOPLE]


def full_name(
    part: JsonObject, *, name: str = "name", first_name: str = "first_name", last_name: str = "last_name"
) -> str:
    """Return the name in an object that has it whole or in two fields."""
    return first(text(part.get(name)), f"{text(part.get(first_name))} {text(part.get(last_name))}".strip())


def consent(document: JsonValue, options: Options) -> JsonObject | None:
    """Return the answers in the fields that the settings name; None if there are none.

    No other field is looked at: a consent to e-mail or to cookies is none to be called.
    """
    answers = {channel: answer(_plain(at(document, path))) for channel, path in options.consent.items()}
    found: JsonObject = {channel: given == "yes" for channel, given in answers.items() if given}
    return found or None


def is_named(customer_fields: JsonObject) -> bool:
    """Whether a customer is named by a phone number or an e-mail address."""
    return bool(customer_fields.get("phone_number") or customer_fields.get("email"))


def _plain(value: JsonValue) -> JsonValue:
    """Return the answer of a field of Shopify's and others, which call a question that was never asked so."""
    return None if isinstance(value, str) and value.strip().lower() in {"not_subscribed", "redacted"} else value


def _field(value: JsonValue) -> str:
    found = short(value)
    return found if len(found) <= _LONGEST else ""


def _first(values: Iterable[JsonValue]) -> str:
    return next((found for value in values if value and (found := _field(value))), "")


def _all(values: Iterable[JsonValue]) -> list[str]:
    return [found for value in values if (found := _field(value))]


def _readable(values: Iterable[JsonValue], country_code: str) -> str:
    """Return the first number that can be read in the country, else the first number."""
    found = list(dict.fromkeys(_all(values)))
    if len(found) <= 1:
        return found[0] if found else ""
    place = country(country_code) if country_code else None
    return next((number for number in found if phone(number, place)), found[0])
