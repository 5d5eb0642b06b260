"""Shoppers, ingest and the sweep: `apply.lua`, `mark.lua`, `acknowledge.lua`, `claim.lua`."""

from tests.model.ends import finish
from tests.model.guards import Without
from tests.model.states import (
    NONE,
    Entry,
    Outreach,
    World,
    of_session,
    put,
    seen_with,
    with_outreach,
    with_person,
    with_session,
)

MISDATED = "misdated activity"
"""By its clock it occurred before everything else; its number is its arrival."""


def publish(world: World, session: int, kind: str) -> World:
    """Let a shopper act: `activity`, `order`, `refusal`, or MISDATED."""
    number = world.published + 1
    if kind != "refusal":
        world = with_session(world, session, world.sessions[session]._replace(published=number))
    return world._replace(published=number, stream=(*world.stream, Entry(number, session, kind)))


def apply(world: World, place: int, without: Without) -> World:
    """Apply an entry to its session. Applied again, or after a later one, it changes nothing more."""
    entry = world.stream[place]
    if entry.kind == "refusal":
        # It moves no session, and the event itself names the person.
        return _with_entry(world, place, entry._replace(phase="applied", told=entry.number))
    changed, told = False, entry.number if entry.kind == "order" else 0
    occurred = 0 if entry.kind == MISDATED else entry.number
    if occurred > world.sessions[entry.session].forgotten or "tombstone" in without:
        world, changed = _move(world, entry, without)
        # Whatever names the person of a session with an order also reports the order, or they might be named too late.
        told = max(told, world.sessions[entry.session].purchase)
    if "marks_always" in without and not changed:
        told = 0
    return _with_entry(world, place, entry._replace(phase="applied" if told else "marked", told=told))


def _move(world: World, entry: Entry, without: Without) -> tuple[World, bool]:
    session = world.sessions[entry.session]
    is_order, is_misdated = entry.kind == "order", entry.kind == MISDATED
    newest = max(session.activity, session.purchase)
    stale = is_order and entry.number < newest and "stale_order" in without
    paid = is_order and entry.number > session.purchase and not stale
    moved = entry.number > newest and not is_misdated
    is_back = moved or (is_misdated and entry.number > max(newest, session.seen) and "misdated" not in without)
    activity = session.activity if is_order or is_misdated else max(session.activity, entry.number)
    purchase = max(session.purchase, entry.number) if is_order and not stale else session.purchase
    state = session.state
    if purchase > activity:
        state = "bought"
    elif is_back or session.state == "bought":
        state = "waiting"
    if (is_order and entry.number > session.purchase) or is_back:
        world = _overtake(world, entry.session)
    outreach = session.outreach
    if session.state == "abandoned" and (paid or is_back):
        world = _call_off(world, outreach, without)
        outreach = NONE
    # An end in the meantime can have changed the session.
    session = world.sessions[entry.session]
    changed = (activity, purchase, state) != (session.activity, session.purchase, session.state)
    seen = max(session.seen, entry.number) if is_misdated else session.seen
    seen = seen if seen > max(activity, purchase) else 0
    session = session._replace(activity=activity, purchase=purchase, state=state, outreach=outreach, seen=seen)
    if session.forgotten >= entry.number:
        world = world._replace(wrong="I4: an older event has restored a forgotten person")
    return with_session(world, entry.session, session), changed


def _call_off(world: World, place: int, without: Without) -> World:
    if place == NONE:
        return world
    found = world.outreaches[place]
    cancelled = {"waiting", "leased"} | ({"sending"} if "spares_sending" in without else set())
    if found.state in cancelled and "calls_off" not in without:
        return finish(world, place, "cancelled", without)
    return world


def _overtake(world: World, session: int) -> World:
    for place, found in enumerate(world.outreaches):
        if found.owner == session and found.state != "gone":
            world = with_outreach(world, place, found._replace(overtaken=True))
    return world


def mark(world: World, place: int, without: Without) -> World:
    """Mark the person of an order or a refusal, also by linked identities."""
    entry = world.stream[place]
    own = of_session(world, entry.session)
    for owner in own if "links" in without else seen_with(world, own):
        person = world.people[owner]
        if entry.kind == "refusal":
            world = with_person(world, owner, person._replace(refused=True))
            continue
        erased = entry.told <= person.erased
        if entry.told > person.bought and (not erased or "bars" in without):
            world = with_person(world, owner, person._replace(bought=entry.told))
            if erased:
                world = world._replace(wrong="I4: an older order has marked a forgotten person")
    return _with_entry(world, place, entry._replace(phase="marked"))


def acknowledge(world: World, place: int) -> World:
    """Delete a finished entry."""
    entry = world.stream[place]
    world = world._replace(stream=(*world.stream[:place], *world.stream[place + 1 :]))
    for owner in seen_with(world, of_session(world, entry.session)):
        person = world.people[owner]
        if entry.kind == "order":
            world = with_person(world, owner, person._replace(paid=max(person.paid, entry.number)))
        if entry.kind == "refusal":
            world = with_person(world, owner, person._replace(said_no=True))
    return world


def ingest_crashes(world: World, place: int) -> World:
    """Let ingest crash while it holds an entry, or redeliver the entry: it starts from scratch."""
    return _with_entry(world, place, world.stream[place]._replace(phase="new", told=0))


def claim(world: World, place: int) -> World:
    """Let a sweep claim a session that is silent for too long."""
    session = world.sessions[place]
    last = max(session.activity, session.purchase, session.seen)
    made = len(world.outreaches)
    world = world._replace(outreaches=(*world.outreaches, Outreach(place, last, owner=place)))
    return with_session(world, place, session._replace(state="abandoned", outreach=made))


def _with_entry(world: World, place: int, entry: Entry) -> World:
    return world._replace(stream=put(world.stream, place, entry))
