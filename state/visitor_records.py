"""The records of visitors, for erasure: read by their names, removed, and those in which data of a customer waits.

A record's name is its key without the prefix of the source: `visitor:…`, `user:…` or `alias:…`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic_core import from_json

from state.cipher import Cipher, Unencrypted
from state.errors import UnreadableError
from state.hash_fields import texts
from state.keys import Keys
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import opened

SHOPS = "shops"
"""All sources share one set of visitors, so that a payment finds the session of a cart by the order's id."""
CUSTOMER = "customer."
"""What the names of a visitor's fields about the customer begin with."""
_AT_ONCE = 500


class WaitingVisitor(NamedTuple):
    """A visitor's record with data of a customer that waits for a session."""

    name: str
    customer: Mapping[str, str]


@dataclass(slots=True)
class Found:
    """What names of records lead to."""

    names: dict[str, None] = field(default_factory=dict)
    """Of all records, also those that others lead to."""
    sessions: dict[str, None] = field(default_factory=dict)
    customers: list[Mapping[str, str]] = field(default_factory=list)
    """Their fields that wait for a session."""


class VisitorRecords:
    """The records of the visitors of all sources."""

    def __init__(self, scripts: Scripts, keys: Keys, cipher: Cipher | None = None) -> None:
        self._scripts = scripts
        self._prefix = keys.source(SHOPS)
        self._cipher = cipher or Unencrypted()

    def find(self, names: Iterable[str]) -> Found:
        """Return the records and sessions that names lead to: a user to a visitor, and both to sessions."""
        found = Found(dict.fromkeys(names))
        for name in tuple(found.names):
            kind, _, tag = name.partition(":")
            if kind == "alias":
                found.sessions |= dict.fromkeys(self._text(name))
            elif kind == "user":
                # Without a visitor's own id, the user is the visitor.
                found.names |= dict.fromkeys(f"visitor:{one}" for one in (tag, *self._text(name)))
        for name in found.names:
            if name.startswith("visitor:"):
                stored = self._hash(name)
                found.sessions |= dict.fromkeys(stored[one] for one in ("session", "before") if stored.get(one))
                if customer := self.customer(stored):
                    found.customers.append(customer)
        return found

    def waiting(self) -> Iterator[WaitingVisitor]:
        """Yield the records in which data of a customer waits. Values under a lost key are left out."""
        every = self.waiting_names()
        for start in range(0, len(every), _AT_ONCE):
            names = every[start : start + _AT_ONCE]
            with driver_errors():
                pipe = self._scripts.client.pipeline(transaction=False)
                for name in names:
                    pipe.hgetall(self._prefix + name)
                replies: Sequence[Mapping[bytes, bytes]] = pipe.execute()
            for name, stored in zip(names, replies, strict=True):
                if customer := self.customer(texts(stored)):
                    yield WaitingVisitor(name, customer)

    def waiting_names(self) -> list[str]:
        """Return the names of the records in which data of a customer waits, or did lately."""
        with driver_errors():
            tags = self._scripts.client.zrange(f"{self._prefix}waiting", 0, -1)
        return [f"visitor:{tag.decode()}" for tag in tags]

    def remove(self, names: Iterable[str]) -> int:
        """Remove records; return how many there were."""
        removed = 0
        with driver_errors():
            for name in names:
                removed += self._scripts.client.delete(self._prefix + name)
                self._scripts.client.zrem(f"{self._prefix}waiting", name.partition(":")[2])
        return removed

    def key(self, name: str) -> str:
        """Return the key of a record."""
        return self._prefix + name

    def name_in(self, key: str) -> str:
        """Return the name of the record with this key; empty for any other key."""
        name = key.removeprefix(self._prefix)
        return name if name not in {key, "waiting"} else ""

    def customer(self, stored: Mapping[str, str]) -> Mapping[str, str]:
        """Return the fields of the customer in a record, decrypted. Values under a lost key are left out."""
        found: dict[str, str] = {}
        for name, value in stored.items():
            if name.startswith(CUSTOMER):
                text = self._opened(name.removeprefix(CUSTOMER), value)
                if text:
                    found[name.removeprefix(CUSTOMER)] = text
        return found

    def _opened(self, name: str, value: str) -> str:
        try:
            text = opened(owner_of(SHOPS), name, value, self._cipher)
        except UnreadableError:
            return ""
        try:
            found = from_json(text)
        except ValueError:
            return text
        return found if isinstance(found, str) else text

    def _text(self, name: str) -> list[str]:
        with driver_errors():
            stored = self._scripts.client.get(self._prefix + name)
        return [stored.decode()] if stored else []

    def _hash(self, name: str) -> dict[str, str]:
        with driver_errors():
            return texts(self._scripts.client.hgetall(self._prefix + name))


def owner_of(source: str) -> str:
    """Return the owner under which the data of a source's customers is encrypted."""
    return f"source:{source}"
