"""Write keys: which one a request has, and of which class it is."""

import hmac
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import SecretStr

from detectors.json_values import JsonValue
from storefronts.delivery import Delivery
from storefronts.json_bodies import load
from storefronts.write_keys import stated_keys

_LONGEST = 512


class WriteKey(NamedTuple):
    """A key that is known."""

    number: int
    """Its place among all keys, which tells keys apart without naming them."""
    is_public: bool


class WriteKeys:
    """All keys of the settings."""

    def __init__(self, server: Sequence[SecretStr], public: Sequence[SecretStr]) -> None:
        keys = [(key.get_secret_value().encode(), False) for key in server]
        keys += [(key.get_secret_value().encode(), True) for key in public]
        self._keys = keys

    def find(self, delivery: Delivery) -> WriteKey | None:
        """Return the key of a request: the user name of Basic, a Bearer token, `writeKey` in the URL or in the body.

        The first place that has a known key counts. A key that is in both lists is public.
        """
        for stated in stated_keys(delivery, _document(delivery.body)):
            found = self._known(stated)
            if found is not None:
                return found
        return None

    def _known(self, stated: str) -> WriteKey | None:
        """Compare with every key, also after one that is equal, so that the time tells nothing."""
        given = stated.encode(errors="replace")
        if not 0 < len(given) <= _LONGEST:
            return None
        equal = [hmac.compare_digest(given, key) for key, _ in self._keys]
        places = [number for number, is_equal in enumerate(equal) if is_equal]
        return WriteKey(places[-1], self._keys[places[-1]][1]) if places else None


def _document(body: bytes) -> JsonValue:
    """Return the body if it can hold a key."""
    if b'"writeKey"' not in body:
        return None
    try:
        return load(body)
    except ValueError:
        return None
