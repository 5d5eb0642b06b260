"""The same random walk through the model and the real scripts: after every step both must have the same state."""

from collections.abc import Iterable
from random import Random

from tests.model import operator, worker
from tests.model.guards import NOTHING, Without
from tests.model.invariants import violation
from tests.model.mixes import Mix
from tests.model.search import Step
from tests.model.shop import MISDATED
from tests.model.states import World
from tests.model.steps import begin, steps
from tests.model.words import words
from tests.model.worker import Choice
from tests.support.key_leak_checker import immortal_keys
from tests.support.redis_snapshot import expected, seen
from tests.support.system_under_test import Real
from worker.runtime import State

WEIGHTS = {
    "publish": 0.6,
    "apply": 3.0,
    "acknowledge": 3.0,
    "ingest_crashes": 0.5,
    "lease_due": 4.0,
    "lease_ends": 1.5,
    "reap": 3.0,
    "reservation_ages": 0.5,
    "worker_dies": 0.2,
    "postpone": 0.3,
    "end_unsent": 0.15,
    "fence": 4.0,
    "reserve": 4.0,
    "release": 4.0,
    "settle": 3.0,
    "expire": 0.05,
    "forget": 0.05,
    "forget_person": 1.0,
    "mark": 3.0,
}
"""The relative frequency of steps; 1 for those that aren't listed."""
PEOPLE, SESSIONS = 3, 4
IDENTITIES = (((0,), (1,), (0,), (1,)), ((0, 2), (1, 2), (0,), (1,)), ((0, 2), (0, 2), (1,), (2,)))
"""The identities of each session's person."""


def mix_of(random: Random) -> Mix:
    """Return the possible events of one walk."""
    events = tuple(
        random.choices(["activity", "order", MISDATED, "refusal"], [9, 3, 3, 1], k=random.choice([3, 10, 30]))
    )
    return Mix(
        "walk",
        sessions=SESSIONS,
        people=PEOPLE,
        identities=random.choice(IDENTITIES),
        limit=random.choice([1, 1, 2]),
        events=events,
        outreaches=SESSIONS * 3,
        claims=(12,),
        workers=4,
        operator=True,
        forgets=random.random() < 0.3,
        repeats=random.random() < 0.4,
    )


def walk(state: State, seed: int, length: int, without: Without = NOTHING) -> None:
    """Walk, and compare after every step.

    Raises:
        AssertionError: The two disagree, an invariant is broken, or a key has no TTL. The trace is added as a note.
    """
    random = Random(seed)
    mix = mix_of(random)
    world, real, trace = begin(mix), Real(state, mix), ["it begins"]
    try:
        agree(real, world, trace)
        for number in range(length):
            found = [*steps(world, mix, without), *_in_vain(world, mix, without)]
            if not found:
                break
            (choice,) = random.choices(found, [WEIGHTS.get(name, 1.0) for name, _, _ in found])
            name, arguments, after = choice
            trace.append(words((name, arguments)))
            real.do(world, name, arguments, after)
            world = after
            agree(real, world, trace)
            wrong = violation(world, mix.most_takes, mix.limit)
            assert not wrong or without, wrong
            if number % 10 == 0:
                assert immortal_keys(state.client) == []
    except (AssertionError, LookupError, ValueError) as exc:
        exc.add_note("\n".join(trace[-40:]))
        raise


def replay(state: State, mix: Mix, trace: Iterable[Step], without: Without) -> None:
    """Take the steps of a trace in which only the model lacks guards.

    Raises:
        AssertionError: The scripts refuse a step, because they have those guards.
    """
    world, real = begin(mix), Real(state, mix)
    agree(real, world, ["it begins"])
    for step in trace:
        name, arguments = step
        (after,) = (after for *found, after in steps(world, mix, without) if tuple(found) == step)
        real.do(world, name, arguments, after)
        world = after
        agree(real, world, [words(step)])


def _in_vain(world: World, mix: Mix, without: Without) -> list[Choice]:
    """Return duplicate messages, and decisions of an operator that change nothing: the scripts must detect these."""
    found: list[Choice] = []
    for place, outreach in enumerate(world.outreaches):
        after = worker.takes(world, place, mix.most_takes, without)
        if after is world:
            found.append(("take", (place,), world))
        if outreach.state in {"dead", "unknown"} and operator.retry(world, place, without)[0] != "retried":
            found.append(("retry", (place,), world))
    return found


def agree(real: Real, world: World, trace: list[str]) -> None:
    """Compare the data in Redis with the model; raises AssertionError."""
    is_there, should_be = seen(real), expected(world)
    differs = [
        f"{name}: {is_there.get(name)}, not {should_be.get(name)}"
        for name in {**is_there, **should_be}
        if is_there.get(name) != should_be.get(name)
    ]
    assert not differs, f"after '{trace[-1]}' the scripts and the model differ: " + "; ".join(differs)
