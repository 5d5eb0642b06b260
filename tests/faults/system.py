"""Winback with real processes on its own server: every part can be killed, frozen, cut off and inspected."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from redis import Redis

from tasks.failpoints import VARIABLE, Point
from tests.faults.collector_hosts import COLLECTOR, EXTRA, CollectorHosts
from tests.faults.ledger import LedgerApi
from tests.faults.observed import ROLES, Observed
from tests.faults.proxy import Proxy
from tests.faults.settings import RECORDER, SETTINGS
from tests.faults.shop import THRESHOLD_S
from worker import runtime
from worker.settings import Settings, load
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.restart_policy import RestartPolicy
from worker.supervision.roles import Role, roles
from worker.supervision.supervisor import Supervisor

STAGES = ("product_selection", "cart_review", "checkout", "payment")
PACE = RestartPolicy(first=0.2, longest=1.0, limit=1000)
NO_RESTART = RestartPolicy(first=3600.0, longest=3600.0, longest_wait=3600.0, limit=1000)


class System(Observed):
    """The roles, the server and the API, with proxies between them."""

    def __init__(
        self, directory: Path, more: Mapping[str, str], names: tuple[str, ...] = ROLES, policy: RestartPolicy = PACE
    ) -> None:
        self.directory = directory
        self.points = directory / "points"
        self.log = []
        self._more = more
        self._names = (*names, "record") if RECORDER.keys() <= more.keys() else names
        self._policy = policy
        self._stack = ExitStack()
        self._frozen: set[int] = set()

    def start(self) -> None:
        """Start everything and wait until every role has recorded a heartbeat."""
        enter = self._stack.enter_context
        self.points.mkdir(parents=True)
        self.server = enter(EmbeddedValkey(self.directory / "valkey", port=0))
        self.port = int(self.server.url.rpartition(":")[2].partition("/")[0])
        self.api = enter(LedgerApi(self.directory / "ledger"))
        self.to_state, self.to_broker = enter(Proxy(self.port)), enter(Proxy(self.port))
        self.to_api = enter(Proxy(self.api.port))
        self.collectors = enter(CollectorHosts(self.directory, self.port, self._names))
        self.env = {
            **SETTINGS,
            **self.collectors.env,
            VARIABLE: str(self.points),
            "WINBACK_CONFIG": str(self.directory / "winback.toml"),
            "WINBACK_REDIS_URL": f"redis://127.0.0.1:{self.to_state.port}/0",
            "WINBACK_BROKER_URL": f"redis://127.0.0.1:{self.to_broker.port}/1",
            "WINBACK_DELIVERY__ENDPOINT": self.api.url.replace(str(self.api.port), str(self.to_api.port)),
            **{name: value.format_map(self._places) for name, value in self._more.items()},
        }
        self.thresholds(THRESHOLD_S)
        self.settings: Settings = load(self.env)
        direct = self.settings.model_copy(update={"redis_url": self.server.url})
        self.state = runtime.open_state(direct)
        self._stack.callback(self.state.client.close)
        self._stack.callback(lambda: self.supervisor.stop())  # noqa: PLW0108 - another one can replace it
        self.supervise()
        self.until(self.all_alive, 60)
        self.until(self.collectors.all_answer, 60, "an answer of every collector")

    @property
    def _places(self) -> Mapping[str, object]:
        """The names that a setting can contain in braces."""
        return {"to_api": self.to_api.port, "api": self.api.port, "directory": self.directory}

    def supervise(self) -> None:
        """Start all roles with a supervisor that doesn't count earlier crashes."""
        self.supervisor = Supervisor(self._roles(), output=self._note, policy=self._policy)
        self.supervisor.start()

    def stop(self) -> None:
        """End everything."""
        for pid in self._frozen:
            _signal(pid, signal.SIGCONT)
        self._stack.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # To break

    def thresholds(self, seconds: float, more: str = "", *, interval: str = "500ms", **stages: float) -> None:
        """Replace the settings file at once, as an editor does. `stages`: thresholds that differ (s).

        `interval`: of the sweep; a variable that is set takes precedence.
        """
        wanted = dict.fromkeys(STAGES, seconds) | stages
        lines = "\n".join(f'{stage} = "{wait_s * 1000:.0f}ms"' for stage, wait_s in wanted.items())
        edited = self.directory / "edited.toml"
        head = f'[detection]\nsweep_interval = "{interval}"\n[detection.idle]'
        edited.write_text(f"{head}\n{lines}\n{more}\n", encoding="utf-8")
        edited.replace(self.directory / "winback.toml")

    @contextmanager
    def another(self, name: str, env: Mapping[str, str]) -> Iterator[None]:
        """Run one more process of a role, with other settings than the rest."""
        known = {role.name: role for role in roles(self.settings, self.env)}[name]
        argv = tuple(word.replace("@%h", "-odd@%h") for word in known.argv)
        argv += ("--consumer", "odd") if name == "ingest" else ()
        odd = replace(known, name=f"odd {name}", argv=argv, env={**known.env, **env})
        with Supervisor([odd], output=self._note, policy=PACE):
            yield

    def extra_collector(self, *, clock_ahead_s: float = 0.0) -> Supervisor:
        """Return one more collector, which isn't restarted. Its host's clock can be wrong, also by less than zero."""
        (known,) = (role for role in roles(self.settings, self.env) if role.name == COLLECTOR)
        argv = (known.argv[0], "-m", "tests.support.other_clock", str(clock_ahead_s), *known.argv[2:])
        odd = replace(known, name=EXTRA, argv=argv, env={**known.env, **self.collectors.env_of(EXTRA)})
        return Supervisor([odd], output=self._note, policy=NO_RESTART)

    def arm(self, point: Point, what: str = "KILL") -> None:
        """Let the next process that reaches a failpoint kill (`KILL`) or freeze (`STOP`) itself."""
        order = self.points / f".{point}"
        order.write_text(what)
        order.rename(self.points / point)

    def disarm(self, point: Point) -> None:
        """Withdraw a failpoint that no process has reached."""
        (self.points / point).unlink(missing_ok=True)

    def met(self, point: Point, within_s: float = 15.0) -> int:
        """Wait until a process has reached an armed failpoint, and return its process id."""

        def found() -> int:
            for path in self.points.glob(f"{point}.*"):
                path.unlink()
                return int(path.suffix[1:])
            return 0

        return self.until(found, within_s, f"point {point}")

    def pid(self, name: str) -> int:
        """Return the process id of a running role."""
        return self.until(lambda: self.supervisor.pids().get(name, 0), 15, f"the start of {name}")

    def pool(self, name: str) -> list[int]:
        """Return the process ids of a role's pool."""
        pid = self.pid(name)
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill(self, name: str) -> None:
        """SIGKILL a role with its pool; it is restarted."""
        os.killpg(self.pid(name), signal.SIGKILL)

    def terminate(self, name: str) -> None:
        """SIGTERM a role and wait for its end; it is restarted."""
        pid = self.pid(name)
        _signal(pid, signal.SIGTERM)
        self.until(lambda: not _runs(pid), 20, f"the end of {name}")

    def freeze(self, pid: int, *, group: bool = False) -> None:
        """SIGSTOP a process, or all of its group."""
        self._frozen.add(-pid if group else pid)
        _signal(-pid if group else pid, signal.SIGSTOP)

    def thaw(self, pid: int, *, group: bool = False) -> None:
        """SIGCONT."""
        self._frozen.discard(-pid if group else pid)
        _signal(-pid if group else pid, signal.SIGCONT)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Freeze a role with its pool for a while."""
        pid = self.pid(name)
        self.freeze(pid, group=True)
        try:
            yield
        finally:
            self.thaw(pid, group=True)

    @property
    def broker(self) -> Any:  # noqa: ANN401 - a client
        """The broker's database, without the proxy."""
        return Redis(port=self.port, db=1)

    def _roles(self) -> list[Role]:
        known = {role.name: role for role in roles(self.settings, self.env)}
        found = []
        for name in self._names:
            role, _, number = name.partition("-")
            argv = known[role].argv
            if number:
                argv = tuple(word.replace("@%h", f"{number}@%h") for word in argv)
                argv += ("--consumer", name) if role == "ingest" else ()
            env = {**known[role].env, **self.collectors.env_of(name)}
            found.append(replace(known[role], name=name, argv=argv, env=env))
        return found

    def _note(self, role: str, line: str) -> None:
        self.log.append((time.time(), role, line))


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number) if pid > 0 else os.killpg(-pid, number)
    except ProcessLookupError:
        return


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
