"""People in the settings: phone numbers and e-mail addresses, read as identities."""

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from tasks.policy.setting_fields import read_list


def _read_people(value: object) -> object:
    """Return phone numbers and e-mail addresses as the identities of their owners."""
    found = read_list(value)
    if not isinstance(found, list | tuple):
        return found
    people = [_identity(text) if isinstance(text, str) else "" for text in found]
    for place, identity in enumerate(people, 1):
        if not identity:
            raise ValueError(
                f"entry {place} of the list is neither a phone number with its country nor an e-mail address: "
                "write +573001234567, CO:3001234567 or jane@example.com"
            )
    return people


def _identity(text: str) -> str:
    """Return one entry's identity; strictly, because it allows a contact. Empty if it isn't a number or an address."""
    from detectors.normalize import countries, identities

    land, colon, number = text.partition(":")
    if "@" in text:
        found = identities.identities_of("", "", text.strip())
    elif colon:
        code = countries.country(land)
        found = identities.identities_of(number.strip(), code, "") if code else ()
    else:
        found = identities.identities_of(text.strip(), "", "")
    return found[0] if found else ""


People = Annotated[
    tuple[str, ...], BeforeValidator(_read_people), PlainSerializer(lambda people: f"{len(people)} people")
]
