"""Visitors of sources without session ids: the session of each event, and customer data that waits for a session.

A source knows a visitor by an anonymous id, a user id or both, and names carts, checkouts and orders by ids of their
own. A visitor has one session at a time, from the first event that can begin one until an order. Everything of a source
lies under one hash tag, and all ids are kept as keyed hashes.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from state.calls import visitors as lua
from state.calls.visitors import VisitorReply
from state.cipher import Cipher, Unencrypted
from state.errors import UnreadableError
from state.keys import SESSION_TTL_MS, Keys
from state.script import Call
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import opened, stamped
from state.visitor_records import owner_of

TAG_BYTES = 12
"""96 bits of a keyed hash: two of a billion ids are the same with a probability of 1 in 10^11."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one event says of its visitor. Ids are as the source writes them; empty for none."""

    at_ms: int
    """When it occurred (Unix ms)."""
    visitor: str = ""
    user: str = ""
    is_order: bool = False
    begins: bool = True
    """It can begin a session."""
    place: str = ""
    """`<stage>.<platform>`, or empty when it happened nowhere in the flow."""
    name: str = ""
    """The name of a session that it begins; empty: the first of `ids`, or a name made from the visitor."""
    ids: Sequence[str] = ()
    """Of the cart, the checkout and the order that it names, the first of which names a session that begins."""
    customer: Mapping[str, str] = field(default_factory=dict)
    """Texts about the customer, which wait if there is no session yet."""


class Placed(NamedTuple):
    """Where an event belongs."""

    session: str
    """Empty: there is no session, and what the event says of the customer waits for one."""
    continues: str
    """The session that this one continues; empty for none."""
    place: str
    """Where in the flow the visitor was last; empty for nowhere."""
    customer: Mapping[str, str]
    """What waited for the session to begin."""


class Visitors:
    """The visitors of all sources. `secret`: the identity secret."""

    def __init__(self, scripts: Scripts, keys: Keys, secret: bytes, cipher: Cipher | None = None) -> None:
        self._scripts = scripts
        self._keys = keys
        self._secret = secret
        self._cipher = cipher or Unencrypted()

    def place(self, source: str, visits: Sequence[Visit]) -> list[Placed]:
        """Find the session of each event of a source, in one round trip, and note what the events say.

        Raises:
            StateError: Some may not have been recorded; place them again.
        """
        calls = [self._call(source, visit) for visit in visits]
        return [self._placed(source, reply) for reply in self._scripts.run_many(calls)]

    def names(self, *, visitors: Iterable[str], users: Iterable[str], ids: Iterable[str]) -> list[str]:
        """Return the names of the records of visitors, users, and ids of carts, checkouts and orders."""
        kinds = (("visitor", "visitor", visitors), ("user", "user", users), ("alias", "id", ids))
        return [f"{name}:{self._tag(kind, text)}" for name, kind, texts in kinds for text in texts if text]

    def named(self, source: str, ids: Sequence[str]) -> list[str]:
        """Return the session of each id of a cart, checkout or order; empty for one that isn't known.

        Raises:
            StateError: The server doesn't answer.
        """
        if not ids:
            return []
        prefix = self._keys.source(source)
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for one in ids:
                pipe.execute_command("GET", f"{prefix}alias:{self._tag('id', one)}")
            found: Sequence[bytes | None] = pipe.execute()
        return [bytes(session or b"").decode() for session in found]

    def _call(self, source: str, visit: Visit) -> Call[VisitorReply]:
        stamp = stamped(visit.at_ms * 100, "")
        customer = self._cipher.encrypt_fields(owner_of(source), stamp, dict(visit.customer))
        visitor = self._tag("visitor", visit.visitor)
        user = self._tag("user", visit.user)
        return lua.visitor(
            self._keys.source(source),
            visitor=visitor,
            user=user,
            occurred=visit.at_ms,
            is_order="1" if visit.is_order else "",
            name=visit.name or next(iter(visit.ids), "") or f"{visitor or user}.{visit.at_ms}",
            begins="1" if visit.begins else "",
            place=visit.place,
            kept_ms=SESSION_TTL_MS,
            said=len(customer),
            customer=customer,
            tags=[self._tag("id", one) for one in visit.ids],
        )

    def _placed(self, source: str, reply: VisitorReply) -> Placed:
        customer: dict[str, str] = {}
        for name, value in reply.customer.items():
            # A field under a lost key is left out. It must not keep this event and all others from the stream.
            with suppress(UnreadableError):
                customer[name] = opened(owner_of(source), name, value, self._cipher)
        return Placed(reply.session, reply.continues, reply.place, customer)

    def _tag(self, kind: str, text: str) -> str:
        if not text:
            return ""
        digest = hmac.digest(self._secret, f"{kind}\0{text}".encode(), sha256)
        return urlsafe_b64encode(digest[:TAG_BYTES]).decode()
