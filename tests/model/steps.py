"""Every possible step in a state, by any actor."""

from collections.abc import Iterator

from tests.model import operator, outbox, shop, worker
from tests.model.guards import Without
from tests.model.mixes import Mix
from tests.model.states import NONE, Outreach, Person, Session, World, of_session, with_person, with_workers
from tests.model.worker import Choice


def begin(mix: Mix) -> World:
    """Return the first state: every session has just been claimed, and its person named in it."""
    named = mix.identities or tuple((place % mix.people,) for place in range(mix.sessions))
    sessions = tuple(Session(people, activity=1, published=1) for people in named)
    world = World((Person(),) * mix.people, sessions, published=1)
    for place in range(min(mix.sessions, mix.outreaches)):
        world = shop.claim(world, place)
    return world


def steps(world: World, mix: Mix, without: Without) -> Iterator[Choice]:
    """Yield every step: its name, its arguments, and the world after it."""
    yield from _shop(world, mix, without)
    yield from _outbox(world, mix, without)
    for found in dict.fromkeys(world.workers):
        yield from worker.goes_on(world, found, mix, without)
        yield "worker_dies", (found.outreach, found.token), with_workers(world, found, None)
    for place in world.requests:
        for accepts in (True, False):
            after = worker.api_decides(world, place, accepts=accepts, repeats=mix.repeats)
            yield "api_decides", (place, accepts), after
    for place in range(len(world.people)):
        if worker.may_grow_old(world, place):
            held = tuple(one._replace(long=True) for one in world.people[place].held)
            yield "reservation_ages", (place,), with_person(world, place, world.people[place]._replace(held=held))


def _shop(world: World, mix: Mix, without: Without) -> Iterator[Choice]:
    happened = world.published - 1
    if happened < len(mix.events):
        for place in range(len(world.sessions)):
            yield "publish", (place, mix.events[happened]), shop.publish(world, place, mix.events[happened])
    for place, entry in enumerate(world.stream):
        if entry.phase == "new":
            yield "apply", (entry.number,), shop.apply(world, place, without)
        if entry.phase == "applied":
            yield "mark", (entry.number,), shop.mark(world, place, without)
        hurried = "deletes_after" in without or (entry.phase == "applied" and "marks_first" in without)
        if entry.phase == "marked" or hurried:
            yield "acknowledge", (entry.number,), shop.acknowledge(world, place)
        if entry.phase != "new":
            yield "ingest_crashes", (entry.number,), shop.ingest_crashes(world, place)
    for place, session in enumerate(world.sessions):
        if session.state == "waiting" and session.activity and len(world.outreaches) < mix.outreaches:
            yield "claim", (place,), shop.claim(world, place)


def _outbox(world: World, mix: Mix, without: Without) -> Iterator[Choice]:
    for place, found in enumerate(world.outreaches):
        if found.place == "due":
            yield "lease_due", (place,), outbox.lease_due(world, place)
        if found.place == "leased" and not found.lease_over:
            yield "lease_ends", (place,), worker.lease_ends(world, place, without)
        if found.place == "leased" and found.lease_over:
            yield "reap", (place,), outbox.reap(world, place, without)
        if _is_taken(world, place, found, mix, without):
            yield "take", (place,), worker.takes(world, place, mix.most_takes, without)
        if mix.operator:
            yield from _operator(world, place, found, mix, without)
    if mix.forgets:
        yield from _forget(world, without)


def _is_taken(world: World, place: int, found: Outreach, mix: Mix, without: Without) -> bool:
    if len(world.workers) >= mix.workers or found.token >= mix.claims[min(place, len(mix.claims) - 1)]:
        return False
    return outbox.take(world, place, mix.most_takes, without)[1] is not world


def _operator(world: World, place: int, found: Outreach, mix: Mix, without: Without) -> Iterator[Choice]:
    # An operator retries an unknown outreach after finding out that it didn't arrive, or because the API honours the
    # key.
    wrongly = found.state == "unknown" and found.contacts and not mix.repeats
    if found.state in {"dead", "unknown"} and not wrongly:
        said, after = operator.retry(world, place, without)
        if said == "retried":
            yield "retry", (place,), after
    if found.state == "unknown" and found.contacts:
        yield "resolve_sent", (place,), operator.resolve_sent(world, place, without)
    if mix.policy and found.state in {"waiting", "leased"}:
        yield "expire", (place,), operator.expire(world, place, without)


def _forget(world: World, without: Without) -> Iterator[Choice]:
    for place, session in enumerate(world.sessions):
        if session.state != "forgotten" and session.forgotten == NONE:
            yield "forget", (place,), operator.forget(world, place, without)
    for place, person in enumerate(world.people):
        of_them = [number for number in range(len(world.sessions)) if place in of_session(world, number)]
        if person.erased == NONE and all(world.sessions[number].forgotten != NONE for number in of_them):
            yield "forget_person", (place,), operator.forget_person(world, place, without)
