"""A fault and its runs: seeded, several times on one system, each run checked separately."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import MappingProxyType

from tests.faults.checker import Verdict, check
from tests.faults.ledger import ACCEPT, always
from tests.faults.observed import ROLES
from tests.faults.shop import KINDS, Kinds, Shop
from tests.faults.system import PACE, System
from worker.supervision.restart_policy import RestartPolicy

USUAL = frozenset(
    {
        "sent",
        "cancelled.came_back",
        "cancelled.paid",
        "cancelled.active_elsewhere",
        "suppressed.contacted_recently",
        "suppressed.bought_recently",
        "suppressed.session_limit",
        "suppressed.no_consent",
    }
)
"""The outcomes of an outreach without a fault."""
OR_UNKNOWN = USUAL | {"unknown"}
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


def direct_shop(system: System, random: Random, prefix: str) -> Shop:
    """Return a shop that writes to Redis itself."""
    return Shop(system.server.url, random, prefix)


@dataclass(slots=True)
class Scene:
    """One run: the system, its shoppers, and the random choices."""

    system: System
    shop: Shop
    random: Random
    violations: list[str] = field(default_factory=list)

    def open(self, visits: int = 20, over_s: float = 0.5, kinds: Kinds = KINDS) -> None:
        """Let shoppers arrive."""
        self.shop.open(visits, over_s, kinds)

    def expect(self, condition: object, what: str) -> None:
        """Record a further promise of this fault that was broken."""
        if not condition:
            self.violations.append(what)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table."""

    number: str
    title: str
    act: Callable[[Scene], None]
    """Lets shoppers arrive and causes the fault; returns after everything is repaired."""
    allowed: frozenset[str] = USUAL
    env: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ROLES
    settles_within_s: float = 60.0
    """After the fault; longer counts as stuck."""
    still_for_s: float = 0.0
    """How long nothing must be in flight before the run counts as over."""
    around: Callable[[Path], AbstractContextManager[Mapping[str, str]]] = lambda _: nullcontext({})
    """Runs further programs for the roles in a separate directory; yields the settings for them."""
    opens: Callable[[System, Random, str], Shop] = direct_shop
    """Makes the shop."""
    pace: RestartPolicy = PACE
    """The restart policy of roles that end."""
    most_runs: int = 1000
    """For a fault that takes minutes: a shorter one of the same kind runs more often."""


@dataclass(slots=True)
class Result:
    """The results of all runs of one fault."""

    fault: Fault
    verdicts: list[Verdict] = field(default_factory=list)
    recovered_s: list[float] = field(default_factory=list)
    """For each run, how long after the fault every outreach had its outcome."""

    def totals(self) -> Counter[str]:
        """Return the sums of all runs."""
        total: Counter[str] = Counter(runs=len(self.verdicts))
        for verdict in self.verdicts:
            for name in ("sessions", "requests", "contacts", "duplicates", "losses"):
                total[name] += getattr(verdict, name)
            total["unknown"] += sum(n for outcome, n in verdict.outcomes.items() if outcome.startswith("unknown"))
            total["violations"] += len(verdict.violations)
        return total


def run(fault: Fault, seeds: Iterable[int], directory: Path, env: Mapping[str, str] = NO_SETTINGS) -> Result:
    """Run a fault once for each seed; a system in which something is stuck is replaced for the next.

    `env`: settings for faults that don't set the same ones.
    """
    result, left = Result(fault), list(seeds)[: fault.most_runs]
    while left:
        place = directory / f"{fault.number}-{left[0]}"
        with (
            fault.around(place.with_suffix(".around")) as more,
            System(place, {**env, **fault.env, **more}, fault.roles, fault.pace) as system,
        ):
            while left:
                verdict = run_once(fault, left.pop(0), system, result)
                if any("stuck" in problem for problem in verdict.violations):
                    break
    return result


def run_once(fault: Fault, seed: int, system: System, result: Result) -> Verdict:
    """Cause a fault once, wait until everything has ended, and check the promises."""
    random = Random(f"{fault.number}/{seed}")
    system.api.plan(always(ACCEPT))
    shop = fault.opens(system, random, f"f{fault.number}-{seed}")
    scene = Scene(system, shop, random)
    try:
        fault.act(scene)
        healed = time.monotonic()
        system.until(lambda: not shop.busy, 120, "the end of the shop's day")
        told = time.monotonic()
        system.stays_settled(fault.still_for_s, fault.settles_within_s)
    except TimeoutError as exc:
        verdict = Verdict(sessions=len(shop.visits), violations=[f"I2: stuck (seed {seed}): {exc}"], losses=1)
    else:
        result.recovered_s.append(time.monotonic() - max(healed, told) - fault.still_for_s)
        held_out = {"suppressed.holdout"} if system.settings.experiment.name else set()
        verdict = check(system, shop, allowed=fault.allowed | held_out)
        verdict.violations = [f"seed {seed}: {problem}" for problem in (*scene.violations, *verdict.violations)]
    finally:
        shop.close()
    result.verdicts.append(verdict)
    return verdict
