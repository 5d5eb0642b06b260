"""Who a person is: the canonical texts under which one person is known, from a phone number and an e-mail address.

The same line gives the same identity however its number is written, and the same mailbox however its address is. An
identity of a phone begins with `+`, one of an e-mail address holds an `@`, so the two never meet.
"""

from detectors.normalize.countries import country
from detectors.normalize.emails import email
from detectors.normalize.phones import phone


def identities_of(phone_number: str, country_code: str, email_address: str) -> tuple[str, ...]:
    """Return the identities of the person whom a contact with these values would reach: at most a phone and an e-mail.

    Each text is as the shop wrote it, and may be empty. The phone's identity comes first. Empty when nothing is valid.
    """
    number = phone(phone_number, country(country_code)) if phone_number else None
    address = email(email_address) if email_address else None
    return tuple(found for found in (number, address and address.lower()) if found)


def named_by(phone_number: str, country_code: str, email_address: str) -> tuple[str, ...]:
    """Return every identity that these values may name, for signals that stop a contact: read as leniently as possible.

    Contains `identities_of` the same values.
    """
    return identities_of(phone_number, country_code, email_address)
