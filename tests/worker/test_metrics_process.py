"""`winback metrics` as a process: how it starts, what it says while the state server is away, how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.cli_support import dead_port, frozen
from tests.support.processes import until
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.e2e

COMMAND = [sys.executable, "-m", "winback", "metrics"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")}


@contextmanager
def serving(url: str, directory: Path) -> Iterator[tuple["subprocess.Popen[str]", httpx.Client]]:
    """Run it on a free port, without a settings file."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0"],
        cwd=directory,
        env={**ENVIRONMENT, "WINBACK_REDIS_URL": url},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
            assert found is not None
            with httpx.Client(base_url=found[0], trust_env=False, timeout=8) as client:
                yield process, client
        finally:
            process.kill()


def up(client: httpx.Client) -> bool:
    reply = client.get("/metrics")
    assert reply.status_code == 200
    [value] = re.findall(r"^winback_up (\S+)$", reply.text, re.MULTILINE)
    assert (float(value) == 1) == ("winback_outreaches" in reply.text)
    return float(value) == 1


def test_metrics_answer_before_during_and_after_an_outage(tmp_path: Path) -> None:
    port = dead_port()
    with serving(f"redis://127.0.0.1:{port}/0", tmp_path) as (process, client):
        assert not up(client)
        with EmbeddedValkey(tmp_path / "valkey", port=port) as server:
            until(lambda: up(client))
            with frozen(server):
                until(lambda: not up(client))
                assert client.get("/healthz").text == "ok\n"
            until(lambda: up(client))
        until(lambda: not up(client))
        with EmbeddedValkey(tmp_path / "valkey", port=port):
            until(lambda: up(client))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_metrics_listen_on_loopback_unless_configured(tmp_path: Path) -> None:
    with serving(f"redis://127.0.0.1:{dead_port()}/0", tmp_path) as (process, client):
        assert client.get("/healthz").status_code == 200
        local = [line.split()[1] for line in Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]]
        assert f"0100007F:{client.base_url.port:04X}" in local
        assert client.post("/metrics").status_code == 405
        assert client.get("/anything").status_code == 404


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["--port", "0"], {}, r"redis_url: .*WINBACK_REDIS_URL"),
        (["--port", "70000"], {"WINBACK_REDIS_URL": "redis://127.0.0.1:1"}, r"--port 70000: must be between 0 and"),
        (["--host", "no.such.invalid"], {"WINBACK_REDIS_URL": "redis://127.0.0.1:1"}, r"no address to listen on"),
    ],
)
def test_a_mistake_ends_in_one_line(arguments: list[str], env: dict[str, str], said: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        env={**ENVIRONMENT, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert re.search(said, ran.stderr)
    assert len(ran.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with serving("redis://127.0.0.1:1", tmp_path) as (_, client):
        port = client.base_url.port
        ran = subprocess.run(
            [*COMMAND, "--port", str(port)],
            cwd=tmp_path,
            env={
                **ENVIRONMENT,
                "WINBACK_REDIS_URL": "redis://127.0.0.1:1",
                "PYTHONPATH": str(Path(__file__).parents[2]),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    told = [json.loads(line)["text"] for line in ran.stderr.splitlines()]
    assert (ran.returncode, told) == (
        2,
        [f"--port {port}: already in use on 127.0.0.1; end what listens there, or choose another port"],
    )
