"""Reading a phone number and an e-mail address that an operator or a file gives, for signals that stop a contact."""

from collections.abc import Iterable

from detectors.normalize.identities import identities_of, named_by

NOT_A_NUMBER = "phone"
NOT_AN_ADDRESS = "email"


def meant(phone: str, country: str, email: str) -> tuple[tuple[str, ...], str]:
    """Return every identity that is meant, and what can't be read: `phone`, `email` or nothing.

    A shop's event names a person by whatever it has. A person can be told that they mistyped: digits that are no number
    would opt out nobody.
    """
    phones = named_by(phone, country, "") if phone else ()
    emails = named_by("", "", email) if email else ()
    problem = ""
    if email and not _is_valid(emails, "", "", email):
        emails, problem = (), NOT_AN_ADDRESS
    if phone and not _is_valid(phones, phone, country, ""):
        phones, problem = (), NOT_A_NUMBER
    return (*phones, *emails), problem


def _is_valid(found: Iterable[str], phone: str, country: str, email: str) -> bool:
    """Whether the strict reading knows it, or each of several readings on its own."""
    if identities_of(phone, country, email):
        return True
    return any(identities_of("", "", one) if "@" in one else identities_of(one, "", "") for one in found)
