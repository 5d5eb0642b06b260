"""Which other identities and sessions belong to a person: one step far, and not over what many people share."""

from collections.abc import Collection, Iterable

from detectors.normalize.identities import identities_of
from state.inventory import Inventory
from state.optouts import MOST_LINKED
from state.stored_data import StoredPerson
from winback.operations.someone import Someone


def link(inventory: Inventory, who: Someone, sessions: Iterable[StoredPerson]) -> None:
    """Add the identities that were seen together with the named ones, in these sessions or in earlier ones.

    Those that many people share are told apart in `who.shared`. If a named one is, nothing is added.
    """
    who.shared.update(dict.fromkeys(one for one in who.named if _is_shared(inventory, *who.hashes([one]))))
    if who.shared:
        return
    seen = [identities_of(stored.phone, stored.country, stored.email) for stored in sessions if who.has_session(stored)]
    others = dict.fromkeys(one for ones in seen for one in ones if one not in who.identities)
    who.shared.update(dict.fromkeys(one for one in others if _is_shared(inventory, *who.hashes([one]))))
    who.link(one for one in others if one not in who.shared)
    linked = {other for person in who.named_people for other in inventory.links_of(person)}
    who.linked_people.update(other for other in linked if not _is_shared(inventory, other))


def earlier(inventory: Inventory, who: Someone, sessions: Collection[StoredPerson]) -> list[StoredPerson]:
    """Return the sessions that these have taken over, from before the shopper gave a number or an address."""
    known = {stored.session_id for stored in sessions}
    wanted = [stored.took_over for stored in sessions]
    found: list[StoredPerson] = []
    while wanted:
        session_id = wanted.pop()
        if not session_id or session_id in known or not inventory.left_of(session_id):
            continue
        known.add(session_id)
        stored = inventory.whom(session_id)
        names_another = bool(identities_of(stored.phone, stored.country, stored.email)) and not who.has_session(stored)
        if not names_another:
            found.append(stored)
            wanted.append(stored.took_over)
    return found


def _is_shared(inventory: Inventory, person: str) -> bool:
    return len(inventory.links_of(person)) > MOST_LINKED
