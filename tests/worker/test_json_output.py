"""Every line that a role prints is one JSON object, from its start to its end: real processes."""

import json
import os
import signal
import subprocess
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
