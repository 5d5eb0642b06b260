"""Every line that a role prints is one JSON object, from its start to its end: real processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.cli_support import dead_port, environment
from tests.support.waiting import eventually
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.roles import Role, roles

pytestmark = pytest.mark.xdist_group("valkey")
ROLES = ("ingest", "recover", "sweep", "flower", "beat")
READY = {"ingest": '"ready"', "recover": "ready.", "sweep": "ready.", "flower": "Connected to", "beat": ""}


@pytest.fixture
def env(valkey: EmbeddedValkey) -> dict[str, str]:
    return {**environment(valkey.url), "WINBACK_FLOWER__PORT": str(dead_port()), "WINBACK_WORKER__CONCURRENCY": "2"}


def started(env: dict[str, str], name: str, folder: Path, **more: str) -> tuple["subprocess.Popen[str]", Path]:
    role: Role = {role.name: role for role in roles(load(env), env)}[name]
    given = {**os.environ, **role.env, **more, "PYTHONPATH": str(Path(__file__).parents[2])}
    given.pop("CELERY_QUIET")  # as in a manual start
    said = folder / "said"
    with said.open("w") as file:
        process = subprocess.Popen(role.argv, env=given, cwd=folder, stdout=file, stderr=file, text=True)
    return process, said


def lines(said: Path) -> list[dict[str, Any]]:
    found = said.read_text().splitlines()
    read = [json.loads(line) for line in found]
    assert all(isinstance(one, dict) and {"event", "level", "role"} <= one.keys() for one in read), found
    return read


@pytest.mark.parametrize("name", ROLES)
def test_a_role_prints_json_from_start_to_end(
    env: dict[str, str], name: str, tmp_path: Path, valkey: EmbeddedValkey
) -> None:
    process, said = started(env, name, tmp_path)
    try:
        with redis.Redis.from_url(valkey.url) as client:
            if name == "beat":
                eventually(lambda: client.exists("winback:heartbeat:beat"), 30)
            else:
                eventually(lambda: READY[name] in said.read_text(), 30)
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            client.flushall()
    finally:
        process.kill()
        process.wait()
    assert lines(said) or name == "beat"


@pytest.mark.parametrize("name", ROLES)
def test_a_refused_start_is_json(env: dict[str, str], name: str, tmp_path: Path) -> None:
    process, said = started(env, name, tmp_path, WINBACK_DELIVERY__MODE="liv")
    assert process.wait(30) == 2
    (refused,) = lines(said)
    assert (refused["event"], refused["level"], refused["role"]) == ("start_refused", "critical", name)
    assert refused["text"] == "WINBACK_DELIVERY__MODE: 'liv' is not known here: write 'shadow' or 'live'"


def test_a_killed_process_of_a_pool_is_reported_as_json(env: dict[str, str], tmp_path: Path) -> None:
    process, said = started(env, "recover", tmp_path, WINBACK_WORKER__POOL="prefork")
    try:
        eventually(lambda: READY["recover"] in said.read_text(), 30)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        os.kill(int(children[-1]), signal.SIGKILL)
        eventually(lambda: "SIGKILL" in said.read_text(), 30)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    assert any("exited with 'signal 9 (SIGKILL)'" in line["event"] for line in lines(said))


UNCAUGHT = """
import sys, threading
from worker.logs import uncaught

class Closing:
    def __del__(self):
        raise KeyError("hunter2")

uncaught.report("recover")
thread = threading.Thread(target=lambda: 1 / 0, name="watch")
thread.start()
thread.join()
closing = Closing()
del closing
raise ValueError("call Jane on +573001234567")
"""


def test_uncaught_errors_are_json_without_their_message(tmp_path: Path) -> None:
    line = [sys.executable, "-c", UNCAUGHT]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(line, env=env, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=30)
    found = [json.loads(each) for each in done.stderr.splitlines()]

    assert done.returncode == 1
    assert [(each["event"], each["error"], each["thread"]) for each in found] == [
        ("uncaught_error", "ZeroDivisionError", "watch"),
        ("uncaught_error", "KeyError", "MainThread"),
        ("uncaught_error", "ValueError", "main"),
    ]
    assert all(each["role"] == "recover" and each["at"].startswith("<string>:") for each in found)
    assert "Jane" not in done.stderr
    assert "hunter2" not in done.stderr
