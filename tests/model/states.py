"""The parts of the model: tuples, so that states can be compared and kept by the million.

People, sessions and outreaches are numbered; `NONE` stands for none. Events are numbered in the order of occurrence,
and the number is their time. Only the checker uses the fields under "For the invariants".
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

NONE = -1
OPEN = frozenset({"waiting", "leased", "sending"})
CONTACTED = frozenset({"sent", "unknown"})

T = TypeVar("T")


class Session(NamedTuple):
    """`{NN}:session:<id>`."""

    people: tuple[int, ...]
    """Its person by each identity, in the order of reservation."""
    activity: int = 0
    purchase: int = 0
    state: str = "waiting"
    outreach: int = NONE
    sending: int = NONE
    contacts: int = 0
    forgotten: int = NONE
    seen: int = 0
    """The last activity with a wrong clock, if nothing has occurred since it arrived."""
    # For the invariants
    published: int = 0


class Outreach(NamedTuple):
    """`{NN}:outreach:<id>`, and the one sorted set that it is in."""

    session: int
    last: int
    state: str = "waiting"
    token: int = 0
    takes: int = 0
    place: str = "due"
    lease_over: bool = False
    barrier: int = NONE
    """The last event that had arrived at its dispatch, kept until it is taken."""
    ambiguous: bool = False
    outcome: str = ""
    """Its outcome in the counters; stays after the record is erased."""
    # For the invariants
    owner: int = 0
    contacts: int = 0
    known: int = 0
    """The newest event of the session that had reached the stream when this was dispatched."""
    overtaken: bool = False
    """Something newer, or an order, has been applied since it was made."""


class Held(NamedTuple):
    """One reservation of a person."""

    outreach: int
    token: int
    long: bool = False
    """For longer than a lease."""


class Person(NamedTuple):
    """`{person:<hmac>}:...`: a person by one identity."""

    bought: int = NONE
    refused: bool = False
    held: tuple[Held, ...] = ()
    erased: int = NONE
    unlinked: bool = False
    """Its links to other identities are lost."""
    # For the invariants
    paid: int = NONE
    """The last acknowledged order of this identity or a linked one."""
    said_no: bool = False
    """A refusal of this identity or a linked one was acknowledged."""


class Entry(NamedTuple):
    """An entry of the stream: `new`, `applied` or `marked`, as far as its holder knows."""

    number: int
    session: int
    kind: str
    phase: str = "new"
    told: int = 0
    """The order or refusal that its session reported when it was applied."""


class Worker(NamedTuple):
    """One attempt of one worker."""

    outreach: int
    token: int
    ambiguous: bool
    barrier: int
    step: str = "taken"
    reply: str = ""
    reserved: int = 0
    """The number of identities under which it has reserved its person."""
    late: bool = False
    """By its own clock, too much time has passed since just before it called the fence."""


class World(NamedTuple):
    """The whole state at one moment."""

    people: tuple[Person, ...]
    sessions: tuple[Session, ...]
    outreaches: tuple[Outreach, ...] = ()
    stream: tuple[Entry, ...] = ()
    workers: tuple[Worker, ...] = ()
    requests: tuple[int, ...] = ()
    """Outreaches with a timed-out request on which the API can still decide."""
    published: int = 0
    wrong: str = ""
    """A forbidden effect of a step."""


def put(items: tuple[T, ...], place: int, item: T) -> tuple[T, ...]:
    """Return the tuple with one item replaced."""
    return (*items[:place], item, *items[place + 1 :])


def with_outreach(world: World, place: int, found: Outreach) -> World:
    """Return the world with one outreach changed."""
    return world._replace(outreaches=put(world.outreaches, place, found))


def with_session(world: World, place: int, found: Session) -> World:
    """Return the world with one session changed."""
    return world._replace(sessions=put(world.sessions, place, found))


def with_person(world: World, place: int, found: Person) -> World:
    """Return the world with one person changed."""
    return world._replace(people=put(world.people, place, found))


def with_workers(world: World, old: Worker | None, new: Worker | None) -> World:
    """Return the world with a worker added, removed or changed. Workers are alike, so their order doesn't matter."""
    workers: Sequence[Worker] = [*world.workers]
    workers = [*workers, new] if new is not None else workers
    if old is not None:
        workers = list(workers)
        workers.remove(old)
    return world._replace(workers=tuple(sorted(workers)))


def of_session(world: World, place: int) -> tuple[int, ...]:
    """Return the person of a session by each identity."""
    return world.sessions[place].people


def seen_with(world: World, people: Sequence[int]) -> tuple[int, ...]:
    """Return these identities and all known links of them; `forget` removes the links."""
    found = {*people}
    for person in people:
        if not world.people[person].unlinked:
            found.update(*(session.people for session in world.sessions if person in session.people))
    return tuple(sorted(found))
