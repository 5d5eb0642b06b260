"""Fault 22: all of them at random, one after another, each for a moment."""

import time
from collections.abc import Callable
from random import Random
from typing import get_args

from tasks.failpoints import Point
from tests.faults.answers import bursts
from tests.faults.ledger import ACCEPT, always
from tests.faults.observed import ROLES
from tests.faults.proxy import Mode
from tests.faults.shop import STREAMS
from tests.faults.system import System

LONGEST_S = 4.0
MODES: tuple[Mode, ...] = ("refuse", "cut", "freeze", "drop_replies")


class Chaos:
    """Causes one fault after another, and repairs each before the next."""

    def __init__(self, system: System, random: Random) -> None:
        self._system = system
        self._random = random
        self.made: list[tuple[float, str]] = []
        """The faults, and when they were caused (s since the epoch)."""
        self._menu: tuple[tuple[Callable[[], str], int], ...] = (
            (self._role_killed, 4),
            (self._role_stopped, 3),
            (self._role_frozen, 3),
            (self._pool_frozen, 1),
            (self._crash_point, 6),
            (self._network, 4),
            (self._api_fails, 3),
            (self._server_killed, 1),
            (self._server_full, 1),
            (self._group_deleted, 1),
        )

    def strike(self) -> None:
        """Cause one fault; returns after it is repaired."""
        acts, weights = zip(*self._menu, strict=True)
        act: Callable[[], str] = self._random.choices(acts, weights)[0]
        began = time.time()
        self.made.append((began, act()))

    def _for_a_moment(self) -> None:
        ends = time.monotonic() + self._random.uniform(0.3, LONGEST_S)
        self._system.until(lambda: time.monotonic() > ends, LONGEST_S + 30)

    def _role_killed(self) -> str:
        role = self._random.choice(ROLES)
        self._system.kill(role)
        return f"{role} killed"

    def _role_stopped(self) -> str:
        role = self._random.choice(ROLES)
        self._system.terminate(role)
        return f"{role} stopped"

    def _role_frozen(self) -> str:
        role = self._random.choice(ROLES)
        with self._system.frozen(role):
            self._for_a_moment()
        return f"{role} frozen"

    def _pool_frozen(self) -> str:
        # With a pool of threads, the worker is the pool.
        pids = self._system.pool("recover") or [self._system.pid("recover")]
        for pid in pids:
            self._system.freeze(pid)
        try:
            self._for_a_moment()
        finally:
            for pid in pids:
                self._system.thaw(pid)
        return "pool of recover frozen"

    def _crash_point(self) -> str:
        point: Point = self._random.choice(get_args(Point))
        what = self._random.choice(("KILL", "STOP"))
        self._system.arm(point, what)
        try:
            pid = self._system.met(point, 5.0)
        except TimeoutError:
            self._system.disarm(point)
            return f"{point}: no process came"
        self._for_a_moment()
        self._system.thaw(pid)
        return f"{what} at {point}"

    def _network(self) -> str:
        name = self._random.choice(("to_state", "to_broker", "to_api"))
        mode = self._random.choice(MODES)
        proxy = getattr(self._system, name)
        proxy.set(mode)
        self._for_a_moment()
        proxy.set("pass")
        return f"{name}: {mode}"

    def _api_fails(self) -> str:
        self._system.api.plan(bursts(self._random))
        self._for_a_moment()
        self._system.api.plan(always(ACCEPT))
        return "API fails in bursts"

    def _server_killed(self) -> str:
        self._system.server.kill()
        self._system.server.start()
        return "Redis killed"

    def _server_full(self) -> str:
        self._system.redis.config_set("maxmemory", 1)
        self._for_a_moment()
        self._system.redis.config_set("maxmemory", 0)
        return "Redis full"

    def _group_deleted(self) -> str:
        self._system.redis.xgroup_destroy(self._random.choice(STREAMS), "ingest")
        return "consumer group deleted"
