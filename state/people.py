"""People: purchases, opt-outs, refusals and reservations. A person is an HMAC; no key contains a name or number."""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from time import time
from typing import Literal, NamedTuple, cast

from state.calls import people as lua
from state.calls.people import PersonFactsReply
from state.channels import Channel
from state.connection_count import connects_of
from state.keys import DAY_MS, Keys
from state.limit import Limit
from state.pending import Pending
from state.person_marks import MOST_LINKED, ConsentAnswer, MarkingResult, Marks, MarkWriter, PersonMention
from state.script import Call
from state.scripts import Scripts

Reservation = Literal[
    "reserved", "not_replicated", "bought", "paying", "opted_out", "refused", "lost", "held", "limited"
]


def person_of(identity: str, secret: bytes) -> str:
    """Return the person of an identity: its HMAC-SHA256 under the identity secret, as 64 hexadecimal digits.

    `identity`: a result of `detectors.normalize.identities`.
    """
    return hmac.digest(secret, identity.encode(), sha256).hex()


class ContactRecord(NamedTuple):
    """A contact that was made, or might be in flight."""

    outreach: str
    at_ms: int


class ContactRef(NamedTuple):
    """The link from a person's orders to an outreach that is about to reach them."""

    worth: str
    """The value of its cart, as `state.attribution.Money` writes it; empty if unknown."""
    ttl_ms: int
    """How long it is kept."""
    taken_ms: int
    """When the outreach was taken (Unix ms). Contacts of people erased after this time aren't recorded."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """The facts about a person, read without changing anything."""

    bought: bool = False
    opted_out: bool = False
    answers: Mapping[Channel, ConsentAnswer] = field(default_factory=dict)
    """The latest answer for each channel, of this identity or of one that was seen with it."""
    contacts: tuple[ContactRecord, ...] = ()
    """Contacts within the longest limit, latest last."""
    sessions: tuple[str, ...] = ()
    """Sessions in which the person was named, latest last."""
    paying_until_ms: int = 0
    """The end of a payment in progress (Unix ms of the server's clock); 0 for none."""
    shared: bool = False
    """The identity is used with too many others to identify a person."""

    @property
    def reserved_by(self) -> str:
        """The outreach that holds the person, or last held them; empty for none."""
        return self.contacts[-1].outreach if self.contacts else ""

    @property
    def reserved_at_ms(self) -> int:
        """When it did (Unix ms); 0 for never."""
        return self.contacts[-1].at_ms if self.contacts else 0


def merged(found: Sequence[PersonFacts]) -> PersonFacts:
    """Return the facts about a person from all their identities. For a shared one only its own opt-out counts."""
    own = [facts for facts in found if not facts.shared]
    answers: dict[Channel, ConsentAnswer] = {}
    for channel, answer in (pair for facts in own for pair in facts.answers.items()):
        answers[channel] = max(answer, answers.get(channel, answer), key=str)
    contacts = {held.outreach: held for facts in own for held in facts.contacts}
    return PersonFacts(
        bought=any(facts.bought for facts in own),
        opted_out=any(facts.opted_out for facts in found),
        answers=answers,
        contacts=tuple(sorted(contacts.values(), key=lambda held: held.at_ms)),
        sessions=tuple(dict.fromkeys(session for facts in own for session in facts.sessions)),
        paying_until_ms=max((facts.paying_until_ms for facts in own), default=0),
    )


class People:
    """The state of all people. `longest_limit_ms`: the longest period of any limit; contacts are kept for it.

    `payment_window_ms`: how long a payment without an expiry counts as in progress.
    """

    def __init__(
        self,
        scripts: Scripts,
        keys: Keys,
        *,
        longest_limit_ms: int,
        lease_ms: int,
        bought_window_ms: int,
        payment_window_ms: int = DAY_MS,
    ) -> None:
        self._scripts = scripts
        self._keys = keys
        self._longest_limit_ms = longest_limit_ms
        self._lease_ms = lease_ms
        self.payment_window_ms = payment_window_ms
        self._mark_writer = MarkWriter(scripts, keys, bought_window_ms)

    def person_facts(self, person: str) -> PersonFacts:
        """Return the facts about a person from one identity."""
        return self.person_facts_of([person])[0]

    def person_facts_of(self, people: Sequence[str]) -> list[PersonFacts]:
        """Return the facts about people in one round trip, in the requested order."""
        calls = [lua.person_facts(self._keys.person(person), MOST_LINKED) for person in people]
        return [_facts(found) for found in self._scripts.run_many(calls)]

    def reserve(
        self,
        people: Sequence[str],
        outreach: str,
        token: int,
        contact_ref: ContactRef,
        limits: Sequence[Limit],
        *,
        channels: Iterable[Channel] = (),
        ambiguous: bool = False,
    ) -> Reservation:
        """Reserve a person under all of their identities for one attempt, or under none; return the result.

        `people`: first the identity that is contacted, which is never shared; then others of the same person. With this
        order, two attempts can't block each other: every attempt takes the e-mail address last.
        `contact_ref`: kept with the reservation before the attempt, so that no crash can separate a contact from it.
        `channels`: those that the request can use; a refusal of any of them counts.
        `ambiguous`: an earlier attempt might have been a contact, so reservations are kept whatever is returned.
        `not_replicated`: the person is reserved, but too few replicas acknowledged it, so no request can start.
        """
        call = self._call_to_reserve(outreach, token, contact_ref, limits, " ".join(channels))
        replicated = True
        for place, person in enumerate(people):
            reply, confirmed = self._scripts.run_confirmed(
                call(self._keys.person(person), MOST_LINKED if place else "")
            )
            if reply not in {"reserved", "shared"}:
                if not ambiguous:
                    # Release before returning: other attempts must only end for this person if a contact is made.
                    self.release(people[:place], outreach, token)
                return cast("Reservation", reply)
            replicated &= confirmed
        return "reserved" if replicated else "not_replicated"

    def _call_to_reserve(
        self, outreach: str, token: int, contact_ref: ContactRef, limits: Sequence[Limit], channels: str
    ) -> Callable[[str, int | str], Call[str]]:
        return lambda key, shared_from: lua.reserve(
            key,
            outreach=outreach,
            token=token,
            reservation_ttl_ms=self._longest_limit_ms + self._lease_ms,
            lease_ms=self._lease_ms,
            channels=channels,
            shared_from=shared_from,
            worth=contact_ref.worth,
            contact_ttl_ms=contact_ref.ttl_ms,
            taken_at=contact_ref.taken_ms,
            limits=[number for limit in limits for number in (limit.count, limit.period_ms)],
        )

    def release(self, people: Sequence[str], outreach: str, token: int) -> bool:
        """Release a person if this attempt holds them. Call it only if certainly no contact was made."""
        return any(self._scripts.run_many([lua.release(self._keys.person(one), outreach, token) for one in people]))

    def send_marks(
        self, named: Iterable[PersonMention], marks: Mapping[str, Marks], *, ask_last_erasure: bool = False
    ) -> Pending[MarkingResult]:
        """Start to record who was named in which session, and to mark people; take the result.

        A person's marks also count for linked identities. See state.person_marks.
        """
        return self._mark_writer.send(named, marks, ask_last_erasure=ask_last_erasure)

    @property
    def connects(self) -> int:
        """Return how many connections to the server were made; see `state.connection_count`."""
        return connects_of(self._scripts.client)

    def mark_bought(self, person: str, at_ms: int) -> bool:
        """Mark a purchase at `at_ms` (Unix ms); return False if nothing changed."""
        return self.send_marks((), {person: Marks(bought_ms=at_ms)}).result().new > 0

    def opt_out(self, person: str, at_ms: int | None = None) -> None:
        """Never contact this person again: the shop reported it at `at_ms` (Unix ms; None: now). Kept without a TTL."""
        at_ms = int(time() * 1000) if at_ms is None else at_ms
        self.send_marks((), {person: Marks(opted_out_ms=at_ms)}).result()

    def answer(self, person: str, channel: Channel, answer: ConsentAnswer) -> None:
        """Record a person's answer about contacts on a channel."""
        self.send_marks((), {person: Marks(answers={channel: answer})}).result()


def _facts(found: PersonFactsReply) -> PersonFacts:
    contacts = [ContactRecord(outreach, int(text.partition(":")[2])) for outreach, text in found.reservations]
    return PersonFacts(
        bought=found.bought,
        opted_out=any(source != "linked" or not found.shared for source in found.opted_out),
        answers={cast("Channel", name): ConsentAnswer.read(text) for name, text in found.answers},
        contacts=tuple(sorted(contacts, key=lambda one: (one.at_ms, one.outreach))),
        sessions=tuple(found.sessions),
        paying_until_ms=found.paying_until,
        shared=found.shared,
    )
