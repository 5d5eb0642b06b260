"""A running shop: `winback up`, a real Valkey, the mock API, and external events."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from time import monotonic, sleep
from typing import Any, TypeVar
from zlib import crc32

from redis import Redis
from typer.testing import CliRunner

from state.connection import connect
from state.keys import Keys
from winback.cli.commands import app
from winback.simulation.mock_api.process import MockServer
from worker.supervision.embedded_valkey import EmbeddedValkey

T = TypeVar("T")

KEYS = {"public_api_key": "public", "private_secret_key": "private"}
LOGIN = ("watcher", "long-enough-password")
THRESHOLD = timedelta(seconds=2)
TIMEOUT = timedelta(seconds=1)
LEASE = 2 * TIMEOUT + timedelta(seconds=10)
PERSONAL = ("+573001234567", "573001234567", "Jane Doe", "jane.doe@example.com", "Wireless Headphones")


@dataclass
class Shop:
    """A shop with Winback behind it."""

    redis: Any  # the driver's stubs know nothing of bytes
    broker: Callable[[], Mapping[str, bytes]]
    """The current content of the broker, by location."""
    api: MockServer
    flower: str
    log: Path
    pid: int
    env: dict[str, str]

    def send(self, session_id: str, kind: str = "activity", **more: object) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = {"session_id": session_id, "type": kind, "occurred_at": now, **more}
        streams = int(self.env.get("WINBACK_INGEST__STREAMS", "1"))
        stream = Keys().events_of(crc32(session_id.encode()) % streams)
        self.redis.xadd(stream, {"event": json.dumps(event)})

    def requests_for(self, session_id: str) -> list[dict[str, Any]]:
        return [r for r in self.api.requests() if r["body"]["session"]["session_id"] == session_id]

    def report(self) -> dict[str, Any]:
        said = self.cli("report", "--json", "--since", "2d", "--by", "stage")
        (row,) = [row for row in json.loads(said)["rows"] if row["stage"] == "payment"]
        return dict(row)

    def cli(self, *words: str, code: int | None = 0) -> str:
        """Run a command as an operator does, and return its output. `code`: its exit code; None: any."""
        return command(self.env, *words, code=code)

    def outcomes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for key in self.redis.scan_iter("winback:{*}:stats:*"):
            for name, number in self.redis.hgetall(key).items():
                outcome = name.decode().partition("@")[0]
                found[outcome] = found.get(outcome, 0) + int(number)
        return found

    def pid_of(self, role: str) -> int:
        words = {"recover": b"winback.recover", "sweep": b"winback.sweep"}.get(role, role.encode())
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            mine = f"E2E_LOG={self.log}".encode() in environment
            if mine and words in command and command[0] == sys.executable.encode():
                return int(process.name)
        raise AssertionError(f"no process for {role}")


def jane(**more: object) -> dict[str, Any]:
    """Return a customer; with another number it is another person with another address."""
    if "phone_number" in more:
        more.setdefault("email", f"jane.doe+{str(more['phone_number']).removeprefix('+')}@example.com")
    return {
        "full_name": "Jane Doe",
        "phone_number": "+573001234567",
        "email": "jane.doe@example.com",
        "country_code": "CO",
        "language": "es",
        "consent": {"call": True, "whatsapp": True},
        **more,
    }


CART = {
    "total_value": 149.99,
    "currency": "COP",
    "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
}
CHECKOUT: dict[str, Any] = {"flow_stage": "checkout", "platform": "web"}


def command(env: Mapping[str, str], *words: str, code: int | None = 0) -> str:
    """Run a command in this process and return its output. A separate process takes a second to start."""
    result = CliRunner().invoke(app, words, env=env)
    assert code is None or result.exit_code == code, result.output + repr(result.exception)
    return str(result.stdout)


def until(condition: Callable[[], T], within_s: float = 20.0) -> T:
    deadline = monotonic() + within_s
    while not (found := condition()):
        if monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        sleep(0.05)
    return found


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_redis(url: str) -> Mapping[str, bytes]:
    with Redis.from_url(url) as client:
        return {key.decode(): client.dump(key) or b"" for key in client.scan_iter("*")}


def environment(directory: Path, redis_url: str, api: MockServer, **settings: str) -> dict[str, str]:
    """Return the environment of Winback's roles, with short times for a test."""
    (directory / "winback.toml").touch()
    return {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")} | {
        "WINBACK_CONFIG": str(directory / "winback.toml"),
        "WINBACK_REDIS_URL": redis_url,
        "WINBACK_IDENTITY_SECRET": "an identity secret for the tests",
        "WINBACK_DETECTION__IDLE__CHECKOUT": f"{THRESHOLD.total_seconds():.0f}s",
        "WINBACK_DETECTION__IDLE__PAYMENT": f"{THRESHOLD.total_seconds():.0f}s",
        "WINBACK_DETECTION__SWEEP_INTERVAL": "300ms",
        "WINBACK_CONTACT__QUIET_HOURS": "off",
        "WINBACK_CONTACT__LAW": "off",
        "WINBACK_DELIVERY__MODE": "live",
        "WINBACK_DELIVERY__ENDPOINT": api.endpoint,
        "WINBACK_DELIVERY__PUBLIC_API_KEY": " public\n",
        "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "private",
        "WINBACK_DELIVERY__TIMEOUT": f"{TIMEOUT.total_seconds():.0f}s",
        "WINBACK_WORKER__CONCURRENCY": "8",
        "WINBACK_FLOWER__PORT": str(free_port()),
        "WINBACK_FLOWER__BASIC_AUTH": ":".join(LOGIN),
        **settings,
    }


@contextmanager
def running_shop(
    directory: Path,
    redis_url: str = "",
    broker: Callable[[], Mapping[str, bytes]] | None = None,
    without: Sequence[str] = ("flower",),
    /,
    **settings: str,
) -> Iterator[Shop]:
    """Run all roles, by default against an embedded Valkey that is also the broker.

    `without`: roles that are left out. Flower starts slowly.
    """
    with ExitStack() as stack:
        if not redis_url:
            redis_url = stack.enter_context(EmbeddedValkey(directory / "valkey", port=0)).url
        beside = redis_url.replace("/0", "/1")
        api = stack.enter_context(MockServer(port=0, **KEYS))
        log = directory / "up.log"
        env = environment(directory, redis_url, api, **settings) | {"E2E_LOG": str(log)}
        port = env["WINBACK_FLOWER__PORT"]
        with log.open("wb") as out:
            up = subprocess.Popen(
                [sys.executable, "-m", "winback", "up", *(word for role in without for word in ("--without", role))],
                env=env,
                stdout=out,
                stderr=out,
                cwd=Path(__file__).parents[2],
            )
        try:
            state: Any = stack.enter_context(connect(redis_url))
            shop = Shop(state, broker or (lambda: in_redis(beside)), api, f"http://127.0.0.1:{port}", log, up.pid, env)
            roles = ("ingest", "sweep", "recover", "beat")
            until(lambda: all(state.exists(f"winback:heartbeat:{role}") for role in roles), 40)
            yield shop
        finally:
            up.send_signal(signal.SIGTERM)
            assert up.wait(40) == 0, log.read_text()
