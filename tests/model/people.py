"""The person's side of the fence: `reserve.lua`, `release.lua`, each for one identity."""

from tests.model.guards import Without
from tests.model.states import CONTACTED, NONE, Held, Outreach, Person, World, with_person


def reserve(  # noqa: PLR0917 - as the script takes them
    world: World, place: int, token: int, owner: int, limit: int, without: Without
) -> tuple[str, World]:
    """Reserve a person by one identity for an attempt; at most `limit` outreaches can contact them."""
    person = world.people[owner]
    if person.bought != NONE and "reserve_bought" not in without:
        return "bought", world
    if person.refused and "reserve_refused" not in without:
        return "refused", world
    others = [held for held in person.held if held.outreach != place]
    if _claim_of(person, place) > token and "reserve_newest" not in without:
        return "lost", world
    if not all(held.long for held in others) and "reserve_waits" not in without:
        return "held", world
    if len(others) >= limit and "reserve_limit" not in without:
        for held in others:
            if wrong := _given_up_for(world.outreaches[held.outreach]):
                world = world._replace(wrong=wrong)
        return "limited", world
    if person.paid > person.erased:
        world = world._replace(wrong="I3: a request starts for a person whose order was acknowledged")
    if person.said_no:
        world = world._replace(wrong="I3: a request starts for a person whose refusal was acknowledged")
    held_by = tuple(sorted((*others, Held(place, token))))
    return "reserved", with_person(world, owner, person._replace(held=held_by))


def release(world: World, place: int, token: int, owner: int, without: Without) -> World:
    """Release the person by one identity, if this attempt holds them."""
    person = world.people[owner]
    if _claim_of(person, place) != token and "release_ours" not in without:
        return world
    left = tuple(held for held in person.held if held.outreach != place)
    if left != person.held and world.outreaches[place].contacts:
        world = world._replace(wrong="I1: a person is released who was contacted")
    return with_person(world, owner, person._replace(held=left))


def contact(world: World, place: int, *, knows_keys: bool) -> World:
    """Let the API contact a person; one that honours keys makes no second contact for the same outreach."""
    found = world.outreaches[place]
    if knows_keys and found.contacts:
        return world
    outreaches = list(world.outreaches)
    outreaches[place] = found._replace(contacts=found.contacts + 1)
    return world._replace(outreaches=tuple(outreaches))


def _claim_of(person: Person, place: int) -> int:
    return next((held.token for held in person.held if held.outreach == place), 0)


def _given_up_for(holder: Outreach) -> str:
    """Return why an outreach must not end for another one's reservation; empty if it can."""
    if holder.state == "sending" and not holder.lease_over and not holder.ambiguous:
        return "I2: given up for an attempt that may still end without a contact"
    if holder.state not in CONTACTED | {"sending", "gone"} and not holder.ambiguous:
        return "I2: given up for a contact that was never made"
    return ""
