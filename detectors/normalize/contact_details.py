"""The phone number, country and e-mail address of a person, before anything is read from them."""

from typing import NamedTuple


class ContactDetails(NamedTuple):
    """What `detectors.normalize.identities` reads a person from: texts as they are written, empty when missing."""

    phone: str = ""
    country: str = ""
    email: str = ""
