"""Credits the orders of a batch to the contacts before them. A batch without orders sends no request to Redis."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detectors.activity import ActivityEvent, Customer
from detectors.minor_units import of_order
from detectors.normalize.contact_details import ContactDetails
from detectors.normalize.identities import named_by
from detectors.sequence import Position, occurred_ms
from state.attribution import Attribution, Credit, Money
from state.experiments import Experiments
from state.people import person_of
from state.sessions import Change, Mark


@dataclass(frozen=True, slots=True)
class Order:
    """An order, with the data of its event."""

    at_ms: int
    change: int
    """The index of its first session's change in the batch; those of the other sessions follow."""
    sessions: tuple[str, ...]
    """All sessions that it names."""
    identities: tuple[str, ...]
    """All identities that the event itself may name."""
    money: Money | None
    """None: the event has no value."""


@dataclass(frozen=True, slots=True)
class _OrderOwners:
    """An order, with all sessions and people that it may belong to."""

    at_ms: int
    sessions: tuple[str, ...]
    people: tuple[str, ...]
    money: Money | None
    from_session: bool = False
    """Its value is from the session's memory of its order."""


def order_of(event: ActivityEvent, event_position: Position, sessions: tuple[str, ...], change: int) -> Order:
    """Read an order. `change`: the index of its first session's change in the batch."""
    found = of_order(event)
    money = None if found is None else Money(*found)
    return Order(occurred_ms(event_position.purchase), change, sessions, named_in(event), money)


def named_in(event: ActivityEvent) -> tuple[str, ...]:
    """Return all identities that an event may name, of all people that it may be about."""
    return tuple(dict.fromkeys(identity for one in event.people for identity in named_by(*written(one))))


def written(customer: Customer) -> ContactDetails:
    """Return a customer's contact details as the event spells them."""
    return ContactDetails(customer.phone_number or "", customer.country_code or "", customer.email or "")


class Crediting:
    """Credits orders to contacts and to the arms of experiments. `secret`: the identity secret."""

    def __init__(self, secret: bytes, attribution: Attribution, experiments: Experiments) -> None:
        self._secret = secret
        self._attribution = attribution
        self._experiments = experiments

    def credit(self, orders: Sequence[Order], marks: Sequence[Mark], changes: Sequence[Change]) -> None:
        """Credit each order to the last contact before it, and to the arm of its person. Repeating changes nothing.

        Raises:
            StateError: Some may not have been credited; repeat it before the events are acknowledged.
        """
        found = list(_order_owners(orders, marks, changes, self._secret))
        if not found:
            return
        sessions = sorted({session for one in found for session in one.sessions})
        people = sorted({person for one in found for person in one.people})
        by_session, by_person = self._attribution.candidates(sessions, people)
        contacts = dict(zip(people, by_person, strict=True))
        leads = dict(zip(sessions, by_session, strict=True))
        joined = dict(zip(people, self._experiments.joined(people), strict=True))
        times = self._times([*(lead.outreach for lead in by_session if lead.outreach), *_flat(by_person)])
        credits_: list[Credit] = []
        arms: list[Credit] = []
        for one in found:
            own = [leads[session] for session in one.sessions]
            worths = {outreach: money for person in one.people for outreach, money in contacts[person].items()}
            outreaches = {*worths, *(lead.outreach for lead in own)}
            money = own[0].order if one.from_session else one.money
            # Only the last one: an order counts once, regardless of earlier contacts.
            before = [(times[name], name) for name in outreaches if times.get(name, one.at_ms + 1) <= one.at_ms]
            if before:
                _, last = max(before)
                credits_.append(_credit(last, one.at_ms, money, worths.get(last)))
            of_arms = {joined[person] for person in one.people} - {""}
            arms += [Credit(name, one.at_ms, money) for name in sorted(of_arms)]
        self._attribution.credit(credits_)
        self._experiments.credit(arms)

    def _times(self, outreaches: Sequence[str]) -> Mapping[str, int]:
        return self._attribution.contacted_at(sorted(set(outreaches))) if outreaches else {}


def _order_owners(
    orders: Sequence[Order], marks: Sequence[Mark], changes: Sequence[Change], secret: bytes
) -> Iterator[_OrderOwners]:
    known: dict[int, set[str]] = {}
    for mark in marks:
        if mark.purchase and (found := named_by(mark.phone, mark.country, mark.email)):
            known.setdefault(mark.change, set()).update(found)
    for order in orders:
        identities = {*order.identities}
        for change in range(order.change, order.change + len(order.sessions)):
            identities |= known.pop(change, set())
        yield _OrderOwners(order.at_ms, order.sessions, _people(identities, secret), order.money)
    # The person was named after the order.
    for mark in marks:
        if mark.change in known:
            people = _people(known[mark.change], secret)
            session = changes[mark.change].session_id
            yield _OrderOwners(occurred_ms(mark.purchase), (session,), people, None, from_session=True)


def _people(identities: set[str], secret: bytes) -> tuple[str, ...]:
    return tuple(sorted(person_of(identity, secret) for identity in identities))


def _flat(contacts: Sequence[Mapping[str, Money | None]]) -> Iterator[str]:
    for found in contacts:
        yield from found


def _credit(outreach: str, at_ms: int, own: Money | None, cart: Money | None) -> Credit:
    return Credit(outreach, at_ms, own) if own else Credit(outreach, at_ms, cart, "cart")
