"""The parts of a session's customer that are missing or invalid, so that the person can't be contacted. Pure."""

from collections.abc import Iterator, Mapping

from detectors.session_fields import PHONE_COUNTRY

_NUMBER, _NAME, _COUNTRY = "customer.phone_number", "customer.full_name", "customer.country_code"


def contact_problems(fields: Mapping[str, str]) -> list[str]:
    """Return one text for each part, which names the event's field and never its value; empty if none is wrong."""
    return [*_phone_problems(fields), *_name_problems(fields)]


def _phone_problems(fields: Mapping[str, str]) -> Iterator[str]:
    from detectors.normalize import countries, phones  # numbering plans load slowly
    from tasks.delivery.payload import phone_of

    written, country = fields.get("phone", ""), fields.get("country", "")
    code = countries.country(country) if country else None
    number = phone_of(fields)
    if not written:
        yield f"{_NUMBER} is missing"
    elif number is not None:
        if code is None and phones.country_of_phone(number) is None:
            yield f"{_COUNTRY} is {'not a country' if country else 'missing'}, and the number is of no country"
    elif written.startswith("+"):
        yield f"{_NUMBER} is not a valid number"
    elif code is None:
        yield f"{_COUNTRY} is {'not a country' if country else 'missing'}, and the number has no + and country code"
    elif fields.get(PHONE_COUNTRY) and countries.country(fields[PHONE_COUNTRY]) != code:
        yield f"{_NUMBER} has no + and came with another country, so it can be the number of two people"
    else:
        yield f"{_NUMBER} is not a valid number in {code}"


def _name_problems(fields: Mapping[str, str]) -> Iterator[str]:
    from detectors.normalize import names

    if not fields.get("name"):
        yield f"{_NAME} is missing"
    elif names.person_name(fields["name"]) is None:
        yield f"{_NAME} is not a person's name"
