"""Attribution of orders to contacts. The outreach holds the time of the contact; a person's key only points to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from state.calls import outreaches as lua
from state.keys import SESSION_TTL_MS, Keys
from state.partitions import partition_of_outreach
from state.people import ContactRef
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import STAMP_WIDTH

LATEST_ORDER_MS = SESSION_TTL_MS
"""How much later than its window an order can arrive and still be credited."""
UNPRICED = "unpriced"
"""In place of the currency of an order with unknown value."""


class Money(NamedTuple):
    """An amount as it is stored and counted: in whole minor units, so that sums don't drift."""

    currency: str
    """ISO 4217."""
    units: int

    def __str__(self) -> str:
        return f"{self.currency} {self.units}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the amount that `str` wrote; None for anything else, such as the empty text."""
        currency, _, units = text.partition(" ")
        return cls(currency, int(units)) if units.isdigit() else None


@dataclass(frozen=True, slots=True)
class Credit:
    """An order and the contact that it is credited to."""

    outreach: str
    at_ms: int
    """When the order was placed (Unix ms)."""
    money: Money | None
    source: Literal["order", "cart"] = "order"
    """Source of its value: the order itself takes precedence over the cart of the contact."""

    @property
    def packed(self) -> str:
        """The form kept with the outreach. Of two, the lower text counts."""
        rank = 2 if self.money is None else ("order", "cart").index(self.source)
        currency, units = self.money or (UNPRICED, 1)
        return f"{rank}{self.at_ms:015d} {currency} {units:016d}"


class SessionOutreach(NamedTuple):
    """The contact and order of a session."""

    outreach: str
    """The last outreach that reached it; empty for none."""
    order: Money | None
    """The value of its last order, if stated."""


class Leads(NamedTuple):
    """Outreaches found for sessions and people, in the order of the request."""

    by_session: Sequence[SessionOutreach]
    by_person: Sequence[Mapping[str, Money | None]]
    """For each person, the outreaches that might have reached them, with the value of their carts."""


class Attribution:
    """Links orders to contacts. `window_ms`: how long after a contact an order is attributed to it."""

    def __init__(self, scripts: Scripts, keys: Keys, window_ms: int) -> None:
        self._scripts = scripts
        self._keys = keys
        self._window_ms = window_ms

    def contact_ref(self, worth: str, taken_ms: int) -> ContactRef:
        """Return the reference to remember for a contact.

        Args:
            worth: Its cart's total as `Money` writes it; empty if unknown.
            taken_ms: When its outreach was taken (Unix ms).
        """
        return ContactRef(worth, self._window_ms + LATEST_ORDER_MS, taken_ms)

    def candidates(self, sessions: Sequence[str], people: Sequence[str]) -> Leads:
        """Return the outreaches that sessions and people point to, in one round trip."""
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for session in sessions:
                pipe.hmget(self._keys.session(session), "contacted", "order")
            for person in people:
                pipe.hgetall(self._keys.contacts(person))
            found = pipe.execute()
        by_session = [
            SessionOutreach((outreach or b"").decode(), Money.read((order or b"").decode()[STAMP_WIDTH:]))
            for outreach, order in found[: len(sessions)]
        ]
        by_person: list[Mapping[str, Money | None]] = [
            {outreach.decode(): Money.read(stored.decode().partition(" ")[2]) for outreach, stored in contacts.items()}
            for contacts in found[len(sessions) :]
        ]
        return Leads(by_session, by_person)

    def contacted_at(self, outreaches: Iterable[str]) -> dict[str, int]:
        """Return when outreaches reached people, might have, or would have without the holdout. Others are left out."""
        wanted = list(outreaches)
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for outreach in wanted:
                pipe.hget(self._keys.outreach(outreach), "contacted_at")
            found: list[bytes | None] = pipe.execute()
        return {outreach: int(at) for outreach, at in zip(wanted, found, strict=True) if at is not None}

    def credit(self, credits_: Iterable[Credit]) -> list[bool]:
        """Credit contacts with orders. False: nothing changed. Safe to repeat."""
        calls = [lua.credit(self._prefix(one.outreach), one.outreach, one.packed, self._window_ms) for one in credits_]
        return self._scripts.run_many(calls)

    def _prefix(self, outreach: str) -> str:
        return self._keys.partition(partition_of_outreach(outreach))
