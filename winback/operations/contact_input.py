"""Reads a phone number and an e-mail address from an operator or a file, for signals that stop a contact."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.normalize.identities import identities_of, named_by


@dataclass(frozen=True, slots=True)
class ResolvedContact:
    """Every identity that the input can mean, and whether a part couldn't be read."""

    identities: tuple[str, ...]
    bad_phone: bool = False
    bad_email: bool = False
    readings: int = 1
    """The number of readings of the phone number if none of them is certain; else 1."""


def resolve(phone: str, country: str, email: str) -> ResolvedContact:
    """Read a number, an address or both, as leniently as in an event that stops a contact.

    Digits that aren't a valid number can name a person in an event. From an operator they are a mistake without any
    effect, so they are reported.
    """
    phones = named_by(phone, country, "") if phone else ()
    emails = named_by("", "", email) if email else ()
    readings = 1
    if phone and not identities_of(phone, country, ""):
        phones = tuple(one for one in phones if identities_of(one, "", ""))
        readings = len(phones)
    if email and not identities_of("", "", email):
        emails = tuple(one for one in emails if identities_of("", "", one))
    return ResolvedContact(
        identities=(*phones, *emails),
        bad_phone=bool(phone) and not phones,
        bad_email=bool(email) and not emails,
        readings=max(1, readings),
    )


def is_email(text: str) -> bool:
    """Return whether a text that is a number or an address is an address."""
    return "@" in text


def read(text: str, country: str) -> ResolvedContact:
    """Read a text that is a number or an address."""
    return resolve("", "", text) if is_email(text) else resolve(text, country, "")


def explained(text: str, found: ResolvedContact, country: str) -> Sequence[str]:
    """Return one line about the problem with an operator's number or address; none if there is no problem."""
    hint = "" if country else ", or name its --country"
    if found.bad_email:
        return [f"{text[:64]!r} is not a valid e-mail address: write name@example.com"]
    if found.bad_phone:
        return [f"{text[:32]!r} is not a valid phone number: write it with + and the country code{hint}"]
    if found.readings > 1:
        ways = f"{text[:32]!r} can be read in {found.readings} ways"
        return [f"{ways}: write it with + and the country code{hint}"]
    return []
