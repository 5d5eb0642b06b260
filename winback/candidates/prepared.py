"""What the contact policy reads of sessions, prepared once for all candidates."""

from typing import NamedTuple

from detectors.normalize import names
from detectors.normalize.identities import identities_of
from detectors.session_fields import PHONE_COUNTRY
from state.people import person_of
from state.session_record import Session
from tasks.delivery import payload
from tasks.policy.blocklist import Blocklist, Hit
from winback.candidates.silences import Known
from winback.tuning.recorded import person_in

STAND_IN = "simulate"
"""Stands for the outreach, and for an identity secret that isn't set: it only decides which people are in a ramp or a
holdout."""


class Prepared(NamedTuple):
    """What the policy reads of a session, apart from the time."""

    session: Session
    reachable: bool
    phone: str
    country: str
    person_id: str
    identities: tuple[str, ...]
    blocked: Hit | None


class Shoppers:
    """Prepares what is known of sessions, once for all candidates."""

    def __init__(self, secret: bytes | None, blocklist: Blocklist, *, all_reachable: bool = False) -> None:
        """Prepare.

        Args:
            secret: The identity secret, if it is known.
            blocklist: Robots, staff and tests.
            all_reachable: Count shoppers without valid contact details as if they had some.
        """
        self._all_reachable = all_reachable
        self._secret = secret or STAND_IN.encode()
        self._blocklist = blocklist
        self._prepared: dict[int, Prepared] = {}
        self._of_fields: dict[int, Prepared] = {}

    def of(self, known: Known) -> Prepared:
        """Return what is known, ready for the policy."""
        found = self._prepared.get(id(known))
        if found is None:
            same = self._of_fields.get(id(known.fields))
            found = same._replace(session=session_of(known, 0)) if same else self._prepare(known)
            self._prepared[id(known)] = self._of_fields[id(known.fields)] = found
        return found

    def _prepare(self, known: Known) -> Prepared:
        fields = known.fields
        name, phone = names.person_name(fields.get("name", "")), known.number
        if phone and fields.get(PHONE_COUNTRY) and not person_in(fields["phone"]):
            # A later country can turn a national number into another person's.
            phone = payload.phone_of(fields) or ""
        country = payload.country_of(fields.get("country", ""), phone) if name and phone else None
        address = identities_of("", "", fields.get("email", ""))
        people = (known.person, *address) if known.person else address
        return Prepared(
            session=session_of(known, 0),
            reachable=self._all_reachable or country is not None,
            phone=phone,
            country=country or "",
            person_id=person_of(people[0], self._secret) if people else "",
            identities=people,
            blocked=self._blocklist.hit(name=fields.get("name", ""), email=fields.get("email", ""), e164=phone),
        )


def session_of(known: Known, contacts: int) -> Session:
    """Return a session as the policy reads it, after this number of contacts."""
    return Session(
        session_id=known.session,
        activity=1,
        signal=0,
        purchase=known.purchase,
        silent_since_ms=0,
        state="abandoned",
        outreach=STAND_IN,
        contacts=contacts,
        fields=known.fields,
        stamp_of_cart=known.cart_stamp,
    )
