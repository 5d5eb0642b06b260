"""An operator's decisions: `retry.lua`, `resolve_sent.lua`, `expire.lua`, `forget.lua` and the person's keys."""

from tests.model.ends import finish, moved_on, reopen, requeue
from tests.model.guards import Without
from tests.model.states import NONE, World, with_outreach, with_person, with_session


def retry(world: World, place: int, without: Without) -> tuple[str, World]:
    """Retry a dead or unknown outreach. After the 15 minutes, no request is undecided any more."""
    found = world.outreaches[place]
    was = found.state
    if was == "unknown" and place in world.requests and "retry_waits" not in without:
        return "too_soon", world
    if moved_on(world, place, without, "retry_asks"):
        return "moved_on", world
    world = reopen(world, place)
    if was == "unknown":
        world = with_outreach(world, place, world.outreaches[place]._replace(ambiguous=True))
    return "retried", requeue(world, place)


def resolve_sent(world: World, place: int, without: Without) -> World:
    """Record that an unknown outreach was delivered."""
    return finish(reopen(world, place), place, "sent", without)


def expire(world: World, place: int, without: Without) -> World:
    """End an outreach that has no request yet."""
    return finish(world, place, "expired", without)


def forget(world: World, place: int, without: Without) -> World:
    """Erase a session and its outreaches; one that is `sending` leaves a skeleton."""
    under_way = world.sessions[place].sending
    sending = under_way if under_way != NONE and world.outreaches[under_way].state == "sending" else NONE
    for number in range(len(world.outreaches)):
        found = world.outreaches[number]
        if found.session != place or found.state == "gone":
            continue
        if found.state in {"waiting", "leased"}:
            world = finish(world, number, "cancelled", without)
            found = world.outreaches[number]
        if found.state == "sending" and "skeleton" not in without:
            sending = number
            ambiguous = found.ambiguous and "keeps_ambiguous" not in without
            world = with_outreach(world, number, found._replace(session=NONE, ambiguous=ambiguous))
        else:
            stays = found.place if found.state == "sending" else ""
            world = with_outreach(
                world,
                number,
                found._replace(session=NONE, state="gone", token=0, takes=0, place=stays, ambiguous=False),
            )
    session = world.sessions[place]
    return with_session(
        world,
        place,
        session._replace(
            activity=0,
            purchase=0,
            state="forgotten",
            outreach=NONE,
            sending=sending,
            contacts=0,
            forgotten=world.published,
            seen=0,
        ),
    )


def forget_person(world: World, place: int, without: Without) -> World:
    """Remove a person's keys except reservation and refusal, and keep earlier events from restoring them."""
    person = world.people[place]._replace(bought=NONE, erased=world.published, unlinked=True)
    if "keeps_reserved" in without:
        person = person._replace(held=())
    return with_person(world, place, person)
