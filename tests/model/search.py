"""Breadth-first search through all states of a mix: the first violation found has the shortest trace."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from tests.model.guards import NOTHING, Without
from tests.model.invariants import ends, violation
from tests.model.mixes import Mix
from tests.model.states import OPEN, Outreach, World
from tests.model.steps import begin, steps

Step = tuple[str, tuple[object, ...]]
Change = tuple[str, str, str]
"""The state of an outreach before the step, the step, and the state after it."""


@dataclass(slots=True)
class Found:
    """The results of a search."""

    states: int = 0
    violation: str = ""
    trace: list[Step] = field(default_factory=list)
    changes: set[Change] = field(default_factory=set)
    gave_up: bool = False
    """There are more states than the limit."""


def search(mix: Mix, without: Without = NOTHING, *, most: int = 10_000_000) -> Found:
    """Visit every reachable state, or at most `most`; stop at the first that breaks an invariant."""
    first = begin(mix)
    came: dict[World, tuple[World, Step] | None] = {first: None}
    queue, found = deque([first]), Found()
    ended: set[Outreach] = set()
    while queue:
        world = queue.popleft()
        for name, arguments, after in steps(world, mix, without):
            if world.outreaches is not after.outreaches:
                found.changes.update(_changes(world, name, after))
            if after in came:
                continue
            came[after] = (world, (name, arguments))
            wrong = violation(after, mix.most_takes, mix.limit) or _stuck(after, mix, without, ended)
            if wrong:
                found.violation, found.trace, found.states = wrong, _trace(came, after), len(came)
                return found
            queue.append(after)
        if len(came) > most:
            found.gave_up = True
            break
    found.states = len(came)
    return found


@cache
def searched(mix: Mix) -> Found:
    """Search with all guards; done once in a process."""
    return search(mix)


def _stuck(world: World, mix: Mix, without: Without, ended: set[Outreach]) -> str:
    for place, found in enumerate(world.outreaches):
        if found.state in OPEN:
            bare = found._replace(owner=0, contacts=0, known=0, overtaken=False, barrier=0)
            if bare not in ended:
                if not ends(world, place, mix.most_takes, without):
                    return f"I2: it can never end: outreach {place}"
                ended.add(bare)
    return ""


def _changes(before: World, name: str, after: World) -> Iterator[Change]:
    for old, new in zip(before.outreaches, after.outreaches, strict=False):
        if old is not new and (old.state != new.state or (old.place != new.place and new.state in OPEN)):
            yield where(old), name, where(new)
    for new in after.outreaches[len(before.outreaches) :]:
        yield "[*]", name, where(new)


def where(found: Outreach) -> str:
    """Return the state of an outreach; for waiting ones, whether they are dispatched."""
    return "handed_out" if found.state == "waiting" and found.place == "leased" else found.state


def _trace(came: dict[World, tuple[World, Step] | None], world: World) -> list[Step]:
    trace: list[Step] = []
    while (origin := came[world]) is not None:
        world, step = origin
        trace.append(step)
    return trace[::-1]
