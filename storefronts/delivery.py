"""A request of a shop, as it was received."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


def header_map(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by their names in small letters. Of two with one name, the first counts."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value)
    return found


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request: its raw body and where and when it arrived."""

    body: bytes
    """As it was signed: only the transfer and content encodings are undone."""
    received: datetime
    """With a time zone."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters: see `header_map`."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The parameters of the URL."""
    shop: str = ""
    """The shop that the path names, such as `shop-a` in `/shopify/shop-a`."""
    route: str = ""
    """The rest of the path, such as `track` in `/v1/track`."""

    def header(self, *names: str) -> str:
        """Return the first of some headers that isn't empty; "" if there is none."""
        for name in names:
            if value := self.headers.get(name.lower(), "").strip():
                return value
        return ""
