"""Ingest processes start and end with their own names, like pods: batches in flight are never lost."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from state.event_stream import GROUP
from state.keys import Keys
from tasks.failpoints import VARIABLE
from tests.support.processes import until
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.e2e

EVENTS = Keys("winback").events
CLAIM_AFTER_S = 2
MANY = 1000
LONG_S = 60.0
"""Ends a test that hangs; a loaded machine takes a few seconds."""

Client = Any  # the driver's stubs know nothing of bytes


@contextmanager
def pod(name: str, server: EmbeddedValkey, directory: Path, **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("WINBACK_")}
    env = {
        **own,
        "WINBACK_REDIS_URL": server.url,
        "WINBACK_IDENTITY_SECRET": "an identity secret for the tests",
        "WINBACK_INGEST__BATCH": "50",
        "WINBACK_INGEST__READ_TIMEOUT": "100ms",
        "WINBACK_INGEST__STALE_AFTER": f"{CLAIM_AFTER_S}s",
        **more,
    }
    command = [sys.executable, "-m", "winback", "ingest", "--consumer", name]
    with (directory / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=directory, env=env, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "valkey", port=0) as started:
        yield started


@pytest.fixture
def client(server: EmbeddedValkey) -> Iterator[Client]:
    with Redis.from_url(server.url) as connected:
        connected.xgroup_create(EVENTS, GROUP, id="0", mkstream=True)
        yield connected


def publish(client: Client, number: int) -> None:
    pipe = client.pipeline(transaction=False)
    for at in range(number):
        made = {"session_id": f"s-{at}", "type": "activity", "flow_stage": "checkout", "platform": "web"}
        pipe.xadd(EVENTS, {"event": json.dumps(made)})
    pipe.execute()


def sessions(client: Client) -> int:
    return sum(1 for _ in client.scan_iter("winback:{??}:session:*", count=1000))


def in_flight(client: Client) -> dict[str, int]:
    """How many entries each consumer has been given and has not acknowledged."""
    return {found["name"].decode(): found["pending"] for found in client.xinfo_consumers(EVENTS, GROUP)}


def is_frozen(process: "subprocess.Popen[bytes]") -> bool:
    return os.WIFSTOPPED(os.waitpid(process.pid, os.WNOHANG | os.WUNTRACED)[1])


def test_stopped_pod_leaves_nothing_in_flight(server: EmbeddedValkey, client: Client, tmp_path: Path) -> None:
    publish(client, MANY)
    (tmp_path / "events_read").write_text("STOP")
    with pod("pod-a", server, tmp_path, **{VARIABLE: str(tmp_path)}) as first:
        # Frozen after its first read, it finds the signal when it goes on.
        until(lambda: is_frozen(first), LONG_S)
        assert in_flight(client)["pod-a"] > 0
        first.send_signal(signal.SIGTERM)
        first.send_signal(signal.SIGCONT)
        assert first.wait(LONG_S) == 0
    assert in_flight(client) == {"pod-a": 0}
    assert 0 < client.xlen(EVENTS) < MANY
    with pod("pod-b", server, tmp_path):
        until(lambda: client.xlen(EVENTS) == 0, LONG_S)
    assert sessions(client) == MANY


def test_entries_of_a_killed_pod_are_claimed_by_another_name(
    server: EmbeddedValkey, client: Client, tmp_path: Path
) -> None:
    publish(client, 50)
    (tmp_path / "events_read").write_text("KILL")
    with pod("pod-a", server, tmp_path, **{VARIABLE: str(tmp_path)}) as first:
        assert first.wait(LONG_S) == -signal.SIGKILL
    assert in_flight(client) == {"pod-a": 50}
    with pod("pod-b", server, tmp_path):
        until(lambda: client.xlen(EVENTS) == 0, LONG_S)
        assert in_flight(client) == {"pod-a": 0, "pod-b": 0}
    assert sessions(client) == 50


def test_container_restarted_in_its_pod_resumes_at_once(server: EmbeddedValkey, client: Client, tmp_path: Path) -> None:
    publish(client, 50)
    (tmp_path / "events_read").write_text("KILL")
    never = {"WINBACK_INGEST__STALE_AFTER": "1h"}
    with ExitStack() as stack:
        first = stack.enter_context(pod("pod-a", server, tmp_path, **never, **{VARIABLE: str(tmp_path)}))
        assert first.wait(LONG_S) == -signal.SIGKILL
        stack.enter_context(pod("pod-a", server, tmp_path, **never))
        until(lambda: client.xlen(EVENTS) == 0, LONG_S)
    assert sessions(client) == 50
