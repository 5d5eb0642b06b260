"""Flower shows everything and changes nothing, and workers ignore remote control."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from flower import urls

from state import refusals
from tests.support.processes import AT_ONCE, Lines, until
from tests.support.running_shop import free_port
from tests.support.states import SECRET
from worker import runtime
from worker.celery_support.read_only_flower import READ_ONLY, changes
from worker.monitoring.checks.messages import REMOTE_CONTROL
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.roles import roles
from worker.supervision.supervisor import Supervisor

pytestmark = pytest.mark.xdist_group("hostile")
LOGIN = ("winback", "password-of-the-tests")
CHANGING = [
    "/api/task/apply/winback.recover",
    "/api/task/async-apply/winback.recover",
    "/api/task/send-task/winback.recover",
    "/api/task/abort/abc",
    "/api/task/revoke/abc",
    "/api/task/rate-limit/winback.recover",
    "/api/task/timeout/winback.recover",
    "/api/worker/shutdown/recover@host",
    "/api/worker/pool/shrink/recover@host",
    "/api/worker/pool/restart/recover@host",
    "/api/worker/queue/cancel-consumer/recover@host",
]
ORDERS = [
    ("rate_limit", "winback.recover", "1/m"),
    ("time_limit", "winback.recover", "1", "1"),
    ("pool_shrink", "1"),
    ("pool_restart",),
    ("cancel_consumer", "winback.recover"),
    ("add_consumer", "other"),
    ("revoke", "abc"),
    ("shutdown",),
]

COMMANDS = """
import json, sys
from celery.bin.celery import celery
from click.testing import CliRunner

print(json.dumps([CliRunner().invoke(celery, words).output for words in json.loads(sys.argv[1])]))
"""


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    directory = tmp_path_factory.mktemp("flower")
    (directory / "winback.toml").touch()
    with EmbeddedValkey(directory / "valkey", port=0) as server:
        yield {
            "WINBACK_CONFIG": str(directory / "winback.toml"),
            "WINBACK_REDIS_URL": server.url,
            "WINBACK_IDENTITY_SECRET": SECRET.decode(),
            "WINBACK_FLOWER__PORT": str(free_port()),
            "WINBACK_FLOWER__BASIC_AUTH": ":".join(LOGIN),
            "WINBACK_WORKER__POOL": "threads",
        }


@pytest.fixture(scope="module")
def running(env: dict[str, str]) -> Iterator[Supervisor]:
    lines, settings = Lines(), load(env)
    wanted = [role for role in roles(settings, env) if role.name in {"recover", "flower"}]
    with Supervisor(wanted, output=lines, policy=AT_ONCE) as supervisor:
        supervisor.wait_until(lambda: " ready." in "".join(lines.of("recover")), 60)
        supervisor.wait_until(lambda: _answers(env), 60)
        yield supervisor


def _answers(env: dict[str, str]) -> bool:
    try:
        return asked(env, "GET", "/healthcheck").status_code == 200
    except httpx.TransportError:
        return False


def asked(env: dict[str, str], method: str, path: str) -> httpx.Response:
    url = f"http://127.0.0.1:{env['WINBACK_FLOWER__PORT']}{path}"
    return httpx.request(method, url, auth=LOGIN, trust_env=False, timeout=20)


@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.usefixtures("running")
def test_request_that_would_change_something_is_forbidden(env: dict[str, str], path: str) -> None:
    answer = asked(env, "POST", path)
    assert (answer.status_code, answer.text) == (403, READ_ONLY)


@pytest.mark.usefixtures("running")
def test_flower_still_shows_workers_tasks_and_queues(env: dict[str, str]) -> None:
    def workers() -> dict[str, Any]:
        found: dict[str, Any] = asked(env, "GET", "/api/workers?refresh=1").json()
        return found

    until(lambda: any(name.startswith("recover@") and "stats" in found for name, found in workers().items()))
    (name,) = workers()
    for path in ("/", "/tasks", f"/worker/{name}", "/api/tasks", "/api/queues/length", "/metrics"):
        assert asked(env, "GET", path).status_code == 200, path


def test_every_handler_of_flower_that_changes_something_is_known() -> None:
    kinds = [handler.handler_class if hasattr(handler, "handler_class") else handler[1] for handler in urls.handlers]
    changing = {kind.__name__ for kind in kinds if changes(kind)}
    assert changing == {
        "TaskAbort", "TaskApply", "TaskAsyncApply", "TaskRateLimit", "TaskRevoke", "TaskSend", "TaskTimout",
        "WorkerPoolAutoscale", "WorkerPoolGrow", "WorkerPoolRestart", "WorkerPoolShrink", "WorkerQueueAddConsumer",
        "WorkerQueueCancelConsumer", "WorkerShutDown",
    }  # fmt: skip


def test_worker_refuses_every_order_and_counts_them(env: dict[str, str], running: Supervisor) -> None:
    before = running.pids()
    *refusals_said, pong = celery(env, *(("control", *order) for order in ORDERS), ("inspect", "ping"))
    assert len(refusals_said) == len(ORDERS)
    for said in refusals_said:
        assert "take no remote control" in said, said
    assert "pong" in pong
    assert running.pids() == before

    state = runtime.open_state(load(env))
    with state.client:
        until(lambda: refusals.read(state.scripts, state.keys).counts.get(REMOTE_CONTROL, 0) >= len(ORDERS))
        # Flower's own calls, and those of a starting worker, aren't commands.
        assert refusals.read(state.scripts, state.keys).counts[REMOTE_CONTROL] == len(ORDERS)


def celery(env: dict[str, str], *commands: tuple[str, ...]) -> list[str]:
    """Run commands of Celery in one process, and return the output of each."""
    given = json.dumps([("-A", "worker.app", *command) for command in commands])
    argv = [sys.executable, "-c", COMMANDS, given]
    done = subprocess.run(argv, env=env, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    said: list[str] = json.loads(done.stdout.splitlines()[-1])
    return said
