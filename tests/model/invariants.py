"""The invariants of every state."""

from tests.model import outbox, worker
from tests.model.guards import NOTHING, Without
from tests.model.states import CONTACTED, OPEN, Outreach, World, of_session


def violation(world: World, most_takes: int, limit: int = 1) -> str:  # noqa: C901 - one branch for each sentence
    """Return the broken invariant and how; empty if all hold."""
    if world.wrong:
        return world.wrong
    contacts = [0] * len(world.sessions)
    people = [0] * len(world.people)
    sending = [0] * len(world.sessions)
    for place, found in enumerate(world.outreaches):
        if wrong := _of(found, most_takes):
            return f"{wrong}: outreach {place}"
        if found.contacts:
            for person in of_session(world, found.owner):
                people[person] += found.contacts
        if found.state == "sending":
            sending[found.owner] += 1
        if found.session >= 0 and found.state in CONTACTED:
            contacts[found.session] += 1
    if max(people) > limit:
        return f"I1: {max(people)} contacts of one person, and {limit} allowed"
    if max(sending) > 1:
        return "I1: two requests for one session may be in flight"
    if any(session.contacts != counted for session, counted in zip(world.sessions, contacts, strict=True)):
        return "I2: a session has a wrong number of contacts"
    return ""


def _of(found: Outreach, most_takes: int) -> str:  # noqa: PLR0911 - one return for each sentence
    if found.contacts > 1:
        return "I1: a second contact for one abandonment"
    if found.state in OPEN:
        if found.place not in {"due", "leased"} or (found.state != "waiting" and found.place != "leased"):
            return "I2: it is open and in no set that continues it"
        if found.outcome:
            return "I2: it is open, and counted as ended"
    elif found.place not in {"", found.state} and found.state != "gone":
        return "I2: it has ended and is still in a set of those that are open"
    if found.state not in OPEN and not found.outcome:
        return "I2: it ended without an outcome"
    if found.contacts and found.outcome and found.outcome not in CONTACTED:
        return "I2: a contact was made, and the record says otherwise"
    if found.outcome == "sent" and not found.contacts:
        return "I2: sent, and no person was contacted"
    if found.takes > most_takes:
        return "I2: it stops its workers indefinitely"
    return ""


def ends(world: World, place: int, most_takes: int, without: Without = NOTHING) -> bool:
    """Return whether an outreach ends once no more faults happen: its lease ends, and it is taken again."""
    world = world._replace(workers=(), stream=())
    for _ in range(2):
        found = world.outreaches[place]
        if found.state not in OPEN:
            return True
        if found.place == "leased":
            world = outbox.reap(worker.lease_ends(world, place, without), place, without)
        if world.outreaches[place].place == "due":
            world = outbox.lease_due(world, place)
        said, world = outbox.take(world, place, most_takes, without)
        if said == "taken":
            _, world = outbox.end_unsent(world, place, world.outreaches[place].token, "expired", without)
    return world.outreaches[place].state not in OPEN
