"""The person's side of the fence: `reserve.lua`, `release.lua`."""

from tests.model.guards import Without
from tests.model.states import CONTACTED, NONE, World, of_session, with_person


def reserve(world: World, place: int, claim: int, without: Without) -> tuple[str, World]:
    """Reserve the person of an outreach for one attempt."""
    owner = of_session(world, world.outreaches[place].owner)
    person = world.people[owner]
    if person.bought != NONE and "reserve_bought" not in without:
        return "bought", world
    if person.holder not in {NONE, place} and "reserve_held" not in without:
        if not person.held_long and "reserve_waits" not in without:
            return "held", world
        holder = world.outreaches[person.holder]
        if holder.state == "sending" and not holder.lease_over and not holder.ambiguous:
            world = world._replace(wrong="I2: given up for an attempt that may still end without a contact")
        if holder.state not in CONTACTED | {"sending", "gone"} and not holder.ambiguous:
            world = world._replace(wrong="I2: given up for a contact that was never made")
        return "capped", world
    if person.holder == place and person.held_claim > claim and "reserve_newest" not in without:
        return "lost", world
    if person.paid > person.barred:
        world = world._replace(wrong="I3: a request starts for somebody whose order was acknowledged")
    world = with_person(world, owner, person._replace(holder=place, held_claim=claim, held_long=False))
    return "reserved", world


def release(world: World, place: int, claim: int, without: Without) -> World:
    """Give the person free, if this very attempt holds them."""
    owner = of_session(world, world.outreaches[place].owner)
    person = world.people[owner]
    if (person.holder, person.held_claim) != (place, claim) and "release_ours" not in without:
        return world
    return with_person(world, owner, person._replace(holder=NONE, held_claim=0, held_long=False))


def contact(world: World, place: int, *, knows_keys: bool) -> World:
    """Let the API contact somebody; one that knows keys contacts nobody twice for the same outreach."""
    found = world.outreaches[place]
    if knows_keys and found.contacts:
        return world
    outreaches = list(world.outreaches)
    outreaches[place] = found._replace(contacts=found.contacts + 1)
    return world._replace(outreaches=tuple(outreaches))
