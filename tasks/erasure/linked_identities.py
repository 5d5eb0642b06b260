"""Finds other identities and sessions of a person: one step away, and not through identities that many people share."""

from collections.abc import Collection, Iterable

from detectors.normalize.identities import identities_of
from state.inventory import Inventory
from state.optouts import MOST_LINKED
from state.stored_data import StoredPerson
from tasks.erasure.data_subject import DataSubject


def link(inventory: Inventory, subject: DataSubject, sessions: Iterable[StoredPerson]) -> None:
    """Add the identities that were seen together with the named ones, in these sessions or in earlier ones.

    Identities that many people share are recorded in `subject.shared` instead. If a named one is shared, nothing is
    added.
    """
    subject.shared.update(dict.fromkeys(one for one in subject.named if _is_shared(inventory, *subject.hashes([one]))))
    if subject.shared:
        return
    seen = [
        identities_of(stored.phone, stored.country, stored.email) for stored in sessions if subject.has_session(stored)
    ]
    others = dict.fromkeys(one for ones in seen for one in ones if one not in subject.identities)
    subject.shared.update(dict.fromkeys(one for one in others if _is_shared(inventory, *subject.hashes([one]))))
    subject.link(one for one in others if one not in subject.shared)
    linked = {other for person in subject.named_people for other in inventory.links_of(person)}
    subject.linked_people.update(other for other in linked if not _is_shared(inventory, other))


def earlier(inventory: Inventory, subject: DataSubject, sessions: Collection[StoredPerson]) -> list[StoredPerson]:
    """Return the sessions superseded by these, from before the shopper gave a number or an address."""
    known = {stored.session_id for stored in sessions}
    wanted = [stored.supersedes for stored in sessions]
    found: list[StoredPerson] = []
    while wanted:
        session_id = wanted.pop()
        if not session_id or session_id in known or not inventory.field_names(session_id):
            continue
        known.add(session_id)
        stored = inventory.session_owner(session_id)
        names_another = bool(identities_of(stored.phone, stored.country, stored.email)) and not subject.has_session(
            stored
        )
        if not names_another:
            found.append(stored)
            wanted.append(stored.supersedes)
    return found


def _is_shared(inventory: Inventory, person: str) -> bool:
    return len(inventory.links_of(person)) > MOST_LINKED
