"""Shared by the tests of `status` and `doctor`: the commands, a healthy system, a cluster node."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis
import typer
from redis.exceptions import ResponseError
from typer.testing import CliRunner

from detectors.lanes import LANES
from detectors.settings import DetectionSettings
from detectors.written_settings import written
from state import applied_thresholds, deployment, overview
from state.event_flow import FlowCounts, count_events
from state.overview import Overview
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from tests.support.waiting import eventually
from winback.cli.doctor import doctor as doctor_command
from winback.cli.status import status as status_command
from worker.monitoring.health import Finding
from worker.runtime import State
from worker.server_errors import run_in_thread
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.valkey_process import binary

PATIENCE_S = 12.0
ROLES = ("ingest", "sweep", "recover", "beat")
SWEEP_MS = 5_000


def run(*arguments: str, **env: str) -> tuple[int, str]:
    """Run `winback status ...` or `winback doctor ...`; return its exit code and output."""
    app = typer.Typer()
    app.command("status")(status_command)
    app.command("doctor")(doctor_command)
    # NO_COLOR and the width, because the tests compare words.
    result = CliRunner().invoke(app, arguments, env={"NO_COLOR": "1", **env})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def doctor(env: dict[str, str]) -> tuple[int, dict[str, Finding]]:
    """Run it; return its findings by name, the worst of several with the same name."""
    code, shown = run("doctor", "--json", **env)
    found = [Finding(**check) for check in json.loads(shown)["checks"]]
    assert json.loads(shown)["ok"] == (code == 0)
    return code, {finding.name: finding for finding in reversed(found)}


def marks(found: dict[str, Finding], *marks: str) -> dict[str, str]:
    return {finding.name: finding.mark for finding in found.values() if finding.mark in marks}


def read(state: State, *, days: int = 1) -> Overview:
    return overview.read(state.scripts, state.keys, [lane.name for lane in LANES], days=days)


def environment(url: str, **more: str) -> dict[str, str]:
    """Return settings of a system that only sends to this host, to an unused port."""
    return {
        "WINBACK_REDIS_URL": url,
        "WINBACK_IDENTITY_SECRET": SECRET.decode(),
        "WINBACK_DELIVERY__ENDPOINT": f"http://127.0.0.1:{dead_port()}/",
        # An outdated law table must not fail these tests.
        "WINBACK_CONTACT__LAW": "off",
        **more,
    }


def make_healthy(state: State) -> None:
    """Record the deployment, heartbeats of all roles, an event and the start of a sweep."""
    deployment.check(state.scripts, state.keys, SECRET)
    state.scripts.run(count_events(state.keys, FlowCounts(now_ms(state))))
    with suppress(ResponseError):  # the fake doesn't have it
        state.scripts.client.execute_command("ACL", "LOG", "RESET")
    state.streams.first.create_group()
    state.streams.open_sweep(SWEEP_MS)
    applied_thresholds.record(state.scripts, state.keys, written(DetectionSettings()), {})
    for role in ROLES:
        deployment.heartbeat(state.scripts, state.keys, role)


def last_seen(state: State, role: str, ago_ms: int, process: str | None = None) -> None:
    """Set a process's last heartbeat to this long ago, as the only one of its role."""
    key = state.keys.heartbeat(role)
    deployment.heartbeat(state.scripts, state.keys, role)
    (own,) = {beat.process for beat in deployment.heartbeats(state.scripts, state.keys, role)} - {process}
    state.client.hset(key, process or own, now_ms(state) - ago_ms)
    if process is not None:
        state.client.hdel(key, own)


@contextmanager
def limited_user(state: State, url: str, *rules: str) -> Iterator[str]:
    """Return the URL of a server user with only these permissions."""
    client: Any = state.client
    client.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "-@all", *rules)
    try:
        yield url.replace("redis://", "redis://limited:any@")
    finally:
        client.execute_command("ACL", "DELUSER", "limited")


@contextmanager
def configured(state: State, **options: object) -> Iterator[None]:
    """Give the server other options for a while; `_` is a dash."""
    wanted = {name.replace("_", "-"): value for name, value in options.items()}
    client: Any = state.client
    before = {name: client.config_get(name)[name] for name in wanted}
    for name, value in wanted.items():
        client.config_set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            client.config_set(name, value)


@contextmanager
def frozen(server: EmbeddedValkey) -> Iterator[None]:
    """A server that accepts connections and never answers."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def dead_port() -> int:
    """Return a port of this host without a listener."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def cluster(directory: Path) -> Iterator[int]:
    """A cluster of one node with all slots; yields its port."""
    port = dead_port()
    options = {
        "port": str(port),
        "dir": str(directory),
        "bind": "127.0.0.1",
        "cluster-enabled": "yes",
        "cluster-port": str(dead_port()),
        "save": "",
    }
    with (directory / "log").open("w") as log:
        argv = [str(binary()), *(word for key, value in options.items() for word in (f"--{key}", value))]
        node = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)
    try:
        with redis.Redis(port=port) as client:
            eventually(lambda: _answers(client))
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            eventually(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
        yield port
    finally:
        node.kill()
        node.wait()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@contextmanager
def listener(answer: bytes = b"") -> Iterator[tuple[int, "Future[bytes]"]]:
    """A port that takes one connection, sends an answer, and keeps what it receives until the other side is done."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port: int = server.getsockname()[1]

        def listen() -> bytes:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                connection.sendall(answer)
                return connection.recv(10_000)

        told = run_in_thread(listen)
        try:
            yield port, told
        finally:
            with socket.socket() as last:  # in case there was no connection
                last.connect_ex(("127.0.0.1", port))
            told.exception(PATIENCE_S)
