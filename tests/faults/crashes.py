"""Faults 1 to 5: processes that crash, freeze, and are stopped."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tasks.failpoints import Point
from tests.faults.fault import OR_UNKNOWN, Fault, Scene
from tests.faults.ledger import ACCEPT, in_turn, refuse
from tests.faults.observed import ROLES
from tests.faults.payments import payments_applied
from tests.faults.settings import LEASE_S, PROCESSES

LONGER_THAN_A_LEASE_S = LEASE_S + 0.7
POOL_KILLED_S = 6.0


def killed_at(point: Point) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        if point == "person_released":
            scene.system.api.plan(in_turn(refuse(503), refuse(503), ACCEPT))
        scene.system.arm(point)
        scene.open()
        scene.system.met(point)

    return act


def stopped_at(point: Point) -> Callable[[Scene], None]:
    """Freeze one of two workers at a point for longer than its lease, then let it continue.

    In the meantime the other worker takes over.
    """

    def act(scene: Scene) -> None:
        scene.system.arm(point, "STOP")
        scene.open()
        pid = scene.system.met(point)
        frozen = time.monotonic()
        # Other work continues in the meantime; the duration is the fault itself.
        scene.system.until(lambda: time.monotonic() - frozen > LONGER_THAN_A_LEASE_S, 30)
        scene.system.thaw(pid)

    return act


def frozen_then_killed(scene: Scene) -> None:
    """Lose messages when a worker crashes between taking one from the broker and recording that it has it."""
    system = scene.system
    pid = system.pid("recover")
    system.freeze(pid, group=True)
    scene.open()
    system.until(lambda: system.open_outreaches() > 0, 30)
    system.until(lambda: system.broker.llen("winback.recover") or _leased(scene), 10)
    os.killpg(pid, signal.SIGKILL)
    system.thaw(pid, group=True)


def _leased(scene: Scene) -> int:
    return scene.system.state.outbox.leased()


def pool_killed(scene: Scene) -> None:
    """Kill processes of the pool repeatedly, as a system without memory does."""
    system = scene.system
    pid = system.pid("recover")
    scene.open(40, over_s=POOL_KILLED_S)
    ends = time.monotonic() + POOL_KILLED_S
    while (left := ends - time.monotonic()) > 0:
        if children := _children(pid):
            os.kill(scene.random.choice(children), signal.SIGKILL)
        next_one = time.monotonic() + min(left, scene.random.uniform(0.05, 0.5))
        system.until(lambda at=next_one: time.monotonic() > at, 5)  # type: ignore[misc]
    scene.expect(system.pid("recover") == pid, "the worker itself ended")
    system.until(system.all_alive, 30)


def _children(pid: int) -> list[int]:
    """Return the running child processes of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            if int(parent) == pid and state != "Z" and b"-leash" not in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
    return found


def rolling_restart(scene: Scene) -> None:
    """Stop one role after another in order, while shoppers arrive."""
    scene.open(60, over_s=6.0)
    for name in scene.random.sample(ROLES, len(ROLES)):
        scene.system.terminate(name)
    scene.system.until(scene.system.all_alive, 30)


Numbered = tuple[tuple[str, Point], ...]
INGEST: Numbered = (("1a", "events_read"), ("1b", "events_applied"), ("1c", "people_marked"))
SWEEP: Numbered = (
    ("2a", "sweep_begins"),
    ("2b", "sweep_claimed"),
    ("2c", "outreaches_leased"),
    ("2d", "outreaches_enqueued"),
)
WORKER: Numbered = (
    ("3a", "outreach_taken"),
    ("3b", "outreach_fenced"),
    ("3c", "person_reserved"),
    ("3d", "request_sent"),
    ("3e", "reply_read"),
    ("3f", "person_released"),
    ("3g", "outreach_settled"),
)
STALLS: Numbered = (
    ("4ba", "outreach_taken"),
    ("4bb", "outreach_fenced"),
    ("4bc", "person_reserved"),
    ("4bd", "request_sent"),
    ("4be", "reply_read"),
)


def _at(point: Point) -> str:
    return point.replace("_", " ")


FAULTS = (
    *(Fault(number, f"kill -9 ingest: {_at(point)}", killed_at(point)) for number, point in INGEST),
    Fault("1d", "kill -9 ingest: events applied, people with a payment in progress not yet marked", payments_applied),
    *(Fault(number, f"kill -9 the sweep: {_at(point)}", killed_at(point)) for number, point in SWEEP),
    *(Fault(number, f"kill -9 the worker: {_at(point)}", killed_at(point), OR_UNKNOWN) for number, point in WORKER),
    Fault("4", "worker frozen, messages published, worker killed", frozen_then_killed),
    *(
        Fault(
            number,
            f"worker frozen past its lease: {_at(point)}",
            stopped_at(point),
            OR_UNKNOWN,
            roles=(*ROLES, "recover-2"),
            still_for_s=0.7,
        )
        for number, point in STALLS
    ),
    Fault("4c", "processes of the pool killed in a loop", pool_killed, OR_UNKNOWN, PROCESSES, still_for_s=0.7),
    Fault("5", "SIGTERM to one role after another, under load", rolling_restart),
)
