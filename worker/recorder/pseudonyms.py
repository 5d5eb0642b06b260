"""Replaces sessions and people by keyed hashes, and numbers by their place. Pure."""

import hmac
from functools import lru_cache
from hashlib import sha256

from detectors.normalize.phones import country_of_phone
from tasks.policy.law.places import country_of_number, place_of
from tasks.policy.law.regions import state_of_number

_BYTES = 7
_FEWEST_HIDDEN, _MOST_HIDDEN = 4, 8
_HIDDEN = "*"
_FILL = "5"
"""The digit in place of a hidden one, when a number's place is looked up."""


class Pseudonyms:
    """Keyed hashes. The key is derived from the identity secret, so no other data in Winback has them."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"winback recording", sha256)

    def session(self, key: str) -> str:
        """Return the hash of a session's stored id."""
        return f"r{self._hash(f's{key}')}"

    def person(self, identity: str) -> str:
        """Return the hash of an identity (`detectors.normalize.identities`)."""
        return self._hash(f"p{identity}")

    def _hash(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(errors="surrogatepass"), sha256)[:_BYTES].hex()


@lru_cache(maxsize=16_384)
def place_text(number: str) -> str:
    """Return an E.164 number without its last digits, at least four, so that its place stays the same."""
    place = _place(number)
    for hidden in range(min(_MOST_HIDDEN, len(number) - 2), _FEWEST_HIDDEN, -1):
        shown = number[:-hidden] + _HIDDEN * hidden
        if _place(example_of(shown)) == place:
            return shown
    return number[:-_FEWEST_HIDDEN] + _HIDDEN * _FEWEST_HIDDEN


def example_of(place: str) -> str:
    """Return a number in the place that `place_text` returned."""
    return place.replace(_HIDDEN, _FILL)


def _place(number: str) -> tuple[object, ...]:
    zones = place_of(number, "").zones
    return country_of_number(number), state_of_number(number), country_of_phone(number), zones
