"""The scripts of the outbox: each returns its reply and the resulting world. A refusal changes nothing."""

from tests.model.ends import finish, moved_on, reopen, requeue
from tests.model.guards import Without
from tests.model.states import NONE, World, with_outreach, with_session

MOST_TAKES = 5


def lease_due(world: World, place: int) -> World:
    """Dispatch a due outreach, with the barrier of what has arrived."""
    found = world.outreaches[place]
    known = 0 if found.session == NONE else world.sessions[found.session].published
    return with_outreach(
        world, place, found._replace(place="leased", lease_over=False, barrier=world.published, known=known)
    )


def reap(world: World, place: int, without: Without) -> World:
    """Take back an expired lease."""
    found = world.outreaches[place]
    if found.state == "sending" and "reap_unknown" not in without:
        return finish(world, place, "unknown", without)
    if found.state == "gone":
        return with_outreach(world, place, found._replace(place="", lease_over=False, barrier=NONE))
    return with_outreach(world, place, found._replace(state="waiting", place="due", lease_over=False, barrier=NONE))


def take(world: World, place: int, most_takes: int, without: Without) -> tuple[str, World]:
    """Take an outreach for a message that has arrived; `nothing` if it can't be taken."""
    found = world.outreaches[place]
    waits = found.state == "waiting" or ("take_waiting" in without and found.state in {"leased", "sending"})
    if not waits or (found.place != "leased" and "take_dispatched" not in without):
        return "nothing", world
    if found.takes >= most_takes and "takes_end" not in without:
        return "nothing", finish(world, place, "dead", without)
    token = found.token if "take_counts" in without and found.token else found.token + 1
    taken = found._replace(state="leased", place="leased", lease_over=False, barrier=NONE)
    return "taken", with_outreach(world, place, taken._replace(token=token, takes=found.takes + 1))


def end_unsent(world: World, place: int, token: int, state: str, without: Without) -> tuple[str, World]:
    """End an outreach before its fence."""
    found = world.outreaches[place]
    if found.state != "leased" or found.token != token:
        return "lost", world
    world = finish(world, place, state, without)
    return world.outreaches[place].state, world


def postpone(world: World, place: int, token: int) -> tuple[str, World]:
    """Return an outreach before its fence."""
    found = world.outreaches[place]
    if found.state != "leased" or found.token != token:
        return "lost", world
    return "postponed", requeue(world, place)


def fence(world: World, place: int, token: int, without: Without) -> tuple[str, World]:
    """Make the last check before a request."""
    found = world.outreaches[place]
    if (found.state != "leased" or found.token != token) and (
        "fence_ours" not in without or found.state not in {"waiting", "leased", "sending"}
    ):
        return "lost", world
    if (found.place != "leased" or found.lease_over) and "fence_lease" not in without:
        return "lost", world
    if moved_on(world, place, without, "fence_session"):
        return "cancelled", finish(world, place, "cancelled", without)
    session = world.sessions[found.session]
    other = session.sending
    if other not in {NONE, place} and world.outreaches[other].state == "sending" and "fence_busy" not in without:
        return "busy", world
    world = with_session(world, found.session, session._replace(sending=place))
    world = with_outreach(world, place, found._replace(state="sending", place="leased", lease_over=False))
    if found.overtaken:
        world = world._replace(wrong="I3: newer activity or an order had been applied before the fence")
    elif found.known > found.last:
        world = world._replace(wrong="I3: newer activity or an order had arrived before it was dispatched")
    return "sending", world


def settle(
    world: World, place: int, token: int, result: str, without: Without, *, ambiguous: bool = False
) -> tuple[str, World]:
    """Record the result of an attempt."""
    found = world.outreaches[place]
    settles = found.state in {"sending", "unknown"} or ("settle_open" in without and found.state != "gone")
    if not settles or (found.token != token and "settle_ours" not in without):
        return "lost", world
    was = found.state
    if ambiguous:
        found = found._replace(ambiguous=True)
        world = with_outreach(world, place, found)
    if was == "unknown":
        if result == "unknown" or ambiguous:
            return "unknown", world
        world = reopen(world, place)
    if result in {"retry", "not_sent"}:
        if found.session == NONE or moved_on(world, place, without, "settle_asks"):
            world = finish(world, place, "cancelled", without)
            return world.outreaches[place].state, world
        session = world.sessions[found.session]
        if session.sending == place:
            world = with_session(world, found.session, session._replace(sending=NONE))
        return "waiting", requeue(world, place)
    world = finish(world, place, result, without)
    return world.outreaches[place].state, world
