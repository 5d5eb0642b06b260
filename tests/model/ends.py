"""The functions to end an outreach, requeue it, and undo an end: `finish.lua`, `requeue.lua`, `reopen_outreach.lua`."""

from tests.model.guards import Without
from tests.model.states import CONTACTED, NONE, World, with_outreach, with_session


def finish(world: World, place: int, state: str, without: Without) -> World:
    """End an outreach. After an ambiguous attempt, it ends as sent or unknown."""
    found = world.outreaches[place]
    if found.ambiguous and state not in CONTACTED and "ambiguous" not in without:
        state = "unknown"
    stays = state if state in {"dead", "unknown"} else ""
    world = with_outreach(
        world, place, found._replace(state=state, place=stays, lease_over=False, barrier=NONE, outcome=state)
    )
    if found.session == NONE:
        return world
    session = world.sessions[found.session]
    return with_session(
        world,
        found.session,
        session._replace(
            sending=NONE if session.sending == place else session.sending,
            contacts=session.contacts + (state in CONTACTED),
        ),
    )


def requeue(world: World, place: int) -> World:
    """Make an outreach due again, with its takes reset."""
    found = world.outreaches[place]
    return with_outreach(
        world, place, found._replace(state="waiting", takes=0, place="due", lease_over=False, barrier=NONE)
    )


def reopen(world: World, place: int) -> World:
    """Undo an end: its counts are subtracted."""
    found = world.outreaches[place]
    if found.state == "unknown" and found.session != NONE:
        session = world.sessions[found.session]
        world = with_session(world, found.session, session._replace(contacts=max(0, session.contacts - 1)))
    return with_outreach(world, place, found._replace(place="", outcome=""))


def moved_on(world: World, place: int, without: Without, guard: str) -> bool:
    """Return whether the session isn't abandoned any more by this outreach."""
    if guard in without:
        return False
    found = world.outreaches[place]
    if found.session == NONE:
        return True
    session = world.sessions[found.session]
    if session.state != "abandoned":
        return True
    return session.outreach != place and "fence_id" not in without
