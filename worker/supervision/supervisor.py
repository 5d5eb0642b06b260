"""All roles in one command: starts them, restarts roles that end, and leaves nothing behind at its own end.

A role that has run once is restarted indefinitely, and so is one that waits for a server. Only a role that can't run
with its settings, or that never ran, ends everything.
"""

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from worker.errors import MISTAKE, TRY_AGAIN, StartError
from worker.supervision.child_process import Output, PrefixedOutput, ProcessLeash, RoleProcess, kill_group
from worker.supervision.restart_policy import Death, RestartPolicy, Restarts, ending
from worker.supervision.role_alarms import RoleAlarms
from worker.supervision.roles import Role
from worker.supervision.stop_signals import StopSignals

STOP_ORDER: Final = ("collect", "beat", "sweep", "ingest", "recover", "flower")  # all others come after these
_SHOWN: Final = 500  # characters of a line in an error
_POLL_S: Final = 0.05
_ALARM_CHECK_S: Final = 1.0
ALARM_AGAIN_S: Final = 900.0
"""Seconds between two log lines about the same role that doesn't run."""


class RoleFailedError(Exception):
    """A role that can't be kept running: its name, why, and its last lines."""


class Child(Protocol):
    """A process that the supervisor keeps running: a role or the embedded server."""

    @property
    def name(self) -> str:
        """Its name in output and errors."""

    @property
    def pid(self) -> int | None:
        """Its process id, which is also its process group's; None while it isn't running."""

    def start(self) -> None:
        """Start it if it isn't running; raises StartError if retrying doesn't help."""

    def wait(self) -> int:
        """Wait for its end and return the exit code (negative: a signal); none of its descendants is left then."""

    def stop(self) -> None:
        """End it in order, by force after its grace. Not running: does nothing."""

    def last_lines(self) -> Sequence[str]:
        """Its last lines of output."""


class Supervisor:
    """Keeps roles running until it is stopped; as a context manager it starts and stops them.

    If this process is killed, all of them end with it.
    """

    def __init__(
        self,
        roles: Iterable[Role],
        *,
        server: Child | None = None,
        output: Output | None = None,
        policy: RestartPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        alarm_again_s: float = ALARM_AGAIN_S,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            roles: The roles, in the order of their start.
            server: Started before and stopped after the roles, and kept running like them.
            output: The output of the roles' lines; by default, prefixed, to the standard output.
            policy: How crashed roles are restarted.
            clock: Monotonic seconds.
            alarm_again_s: Seconds between two alarms about the same role.
        """
        self._output = output or PrefixedOutput(sys.stdout)
        self._leash = ProcessLeash()
        self._roles: list[Child] = [RoleProcess(role, self._leash, self._output) for role in roles]
        self._servers = [] if server is None else [server]
        self._children = [*self._servers, *self._roles]
        self._policy = policy or RestartPolicy()
        self._clock = clock
        self._alarms = RoleAlarms(after_s=self._policy.brief, steady_s=self._policy.brief, again_s=alarm_again_s)
        self._threads: dict[str, threading.Thread] = {}
        self._restarts = {child.name: 0 for child in self._children}
        self._stopping = threading.Event()
        self._failed = threading.Event()
        self._failure = ""
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()  # unlike an Event, a signal handler can use it

    @property
    def restarts(self) -> Mapping[str, int]:
        """How often each was restarted."""
        return dict(self._restarts)

    def pids(self) -> dict[str, int]:
        """Return the process ids of running processes."""
        return {child.name: pid for child in self._children if (pid := child.pid) is not None}

    def alive(self) -> bool:
        """Return whether everything is running at this moment."""
        return len(self.pids()) == len(self._children)

    def run(self) -> bool:
        """Keep everything running until SIGINT, SIGTERM or SIGHUP, then stop; a second signal kills at once.

        For programs that end afterwards: once stopped, they ignore further signals.

        Returns:
            Whether the stop was an ordered one.

        Raises:
            StartError: The server can't be started.
            RoleFailedError: A role can't be kept running; everything has been stopped.
        """
        stop = StopSignals(first=lambda: self._wake.put(None), second=self.kill, clock=self._clock)
        with stop, self:
            self._wake.get()
            self._output("winback", "stops in order; a second signal kills at once")
        self._check()
        return not stop.came_twice

    def wait_until(self, condition: Callable[[], object], within_s: float = 30.0) -> None:
        """Wait until a condition, checked 20 times a second, is truthy.

        Raises:
            TimeoutError: It wasn't within `within_s` seconds.
            RoleFailedError: A role can't be kept running; this takes precedence.
        """
        deadline = self._clock() + within_s
        while True:
            self._check()
            if condition():
                return
            if self._clock() > deadline:
                raise TimeoutError(f"it did not happen within {within_s:g} s")
            self._failed.wait(_POLL_S)

    def start(self) -> None:
        """Start the server, then all roles.

        Raises:
            StartError: The server can't be started.
        """
        for server in self._servers:
            server.start()
        for child in self._children:
            keeper = threading.Thread(
                target=self._supervise, args=(child,), name=f"keeper of {child.name}", daemon=True
            )
            self._threads[child.name] = keeper
            keeper.start()
        threading.Thread(target=self._log_alarms, name="alarms about roles", daemon=True).start()

    def stop(self) -> None:
        """Stop everything in order; nothing is left afterwards. If interrupted, it kills the rest.

        Beat is first and the sweep next, so that no new work is created. Then the roles that take work in, then those
        that do it, then the observers. The server is last, because the others need it until their end.
        """
        self._stopping.set()
        rank = {name: place for place, name in enumerate(STOP_ORDER)}
        in_order = sorted(self._roles, key=lambda role: rank.get(role.name, len(rank)))
        try:
            for child in [*in_order, *self._servers]:
                child.stop()
                while self._is_supervised(child):
                    self._threads[child.name].join(_POLL_S)
                    child.stop()  # it may just have been about to start
        finally:
            while any(map(self._is_supervised, self._children)):
                self.kill()
                time.sleep(_POLL_S)
            self._leash.close()

    def kill(self) -> None:
        """SIGKILL everything with all descendants, without waiting."""
        for pid in self.pids().values():
            kill_group(pid)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _is_supervised(self, child: Child) -> bool:
        return child.name in self._threads and self._threads[child.name].is_alive()

    def _supervise(self, child: Child) -> None:
        """Start it, wait for its end, and restart it: the loop of a keeper thread."""
        restarts = Restarts(self._policy)
        while not self._stopping.is_set():
            born = self._clock()
            code, why = self._run_once(child)
            died = self._clock()
            self._alarms.ended(child.name, died, why)
            pause = restarts.died(Death(at=died, lived=died - born, code=code))
            if pause is None:
                what = "refused to start" if code == MISTAKE else "keeps dying"
                self._give_up(f"{child.name} {what} ({why}); its last lines:", child.last_lines())
                return
            if self._stopping.is_set():
                return
            self._output("winback", f"{child.name} ended ({why}) and is started again in {pause:g} s")
            if not self._stopping.wait(pause):
                self._restarts[child.name] += 1

    def _run_once(self, child: Child) -> tuple[int, str]:
        """Start it and wait for its end; return its exit code and the reason."""
        try:
            child.start()
        except (StartError, OSError) as problem:
            # The server was started once already, and a system without room for a process can have it again.
            return TRY_AGAIN, f"it can't be started: {problem}"
        self._alarms.started(child.name, self._clock())
        code = child.wait()
        return code, ending(code)

    def _log_alarms(self) -> None:
        """Log alarms about roles that don't run, until the stop."""
        while not self._stopping.wait(_ALARM_CHECK_S):
            for on_signal in self._alarms.due_alarms(self._clock()):
                self._output("winback", on_signal.line())

    def _give_up(self, why: str, last_lines: Iterable[str] = ()) -> None:
        if self._stopping.is_set():
            return
        self._failure = self._failure or "\n".join([why, *(f"  {line[:_SHOWN]}" for line in last_lines)])
        self._failed.set()
        self._wake.put(None)

    def _check(self) -> None:
        if self._failed.is_set():
            raise RoleFailedError(self._failure)
