"""Write keys: which one a request has, and of which class it is."""

import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import SecretStr
from pydantic_core import from_json

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

    def find(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> WriteKey | None:
        """Return the key of a request: the user name of Basic, a Bearer token, `writeKey` in the URL or in the body.

        The first place that has a known key counts. A key that is in both lists is public.
        """
        for stated in _stated(headers, query, body):
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


def _stated(headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Iterator[str]:
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        yield _user_name(credentials.strip())
    elif scheme.lower() == "bearer":
        yield credentials.strip()
    yield query.get("writeKey", "")
    if b'"writeKey"' in body:
        yield _in_body(body)


def _user_name(credentials: str) -> str:
    """Return the user name; some clients leave out the colon after it."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def _in_body(body: bytes) -> str:
    try:
        document = from_json(body)
    except ValueError:
        return ""
    key = document.get("writeKey") if isinstance(document, dict) else None
    return key if isinstance(key, str) else ""
