"""If the state server is down or out of memory, every command's error names the server and the fix."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from state.errors import DeploymentMismatchError, ServerFullError, ServerUnavailableError, StateError
from tests.support.cli_support import dead_port
from worker.server_errors import describe, naming_server
from worker.settings import Settings

SETTINGS = Settings(redis_url="redis://shop:hunter2@redis.example:6379/0")


@pytest.mark.parametrize(
    "command",
    [
        "ingest",
        "rejected list",
        "replay /dev/null",
        "event emit --session cart-1 --stage checkout --platform web",
        "status",
    ],
)
def test_unreachable_server_is_named_with_a_hint(command: str, tmp_path: Path) -> None:
    port = dead_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")} | {
        "WINBACK_REDIS_URL": f"redis://shop:hunter2@127.0.0.1:{port}/0",
        "WINBACK_IDENTITY_SECRET": "a secret of the tests",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    line = [sys.executable, "-m", "winback", *command.split()]
    done = subprocess.run(line, env=env, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)

    # A supervisor of a role can wait for the server; for a command, the documented exit code is 2.
    assert done.returncode == (75 if command == "ingest" else 2)
    where = f"redis_url (127.0.0.1:{port})"
    said = json.loads(done.stderr)["text"] + "\n" if command == "ingest" else done.stderr
    assert said == f"{where}: nothing listens there: start it, or fix WINBACK_REDIS_URL\n"


def test_unknown_host_gets_the_hint_to_fix_its_name() -> None:
    problem = ServerUnavailableError()
    problem.__cause__ = socket.gaierror()

    line = describe(SETTINGS, problem)

    assert line.endswith(": there is no such host: fix the host name in WINBACK_REDIS_URL")


def test_a_full_server_is_named_too() -> None:
    with (
        pytest.raises(
            ServerFullError, match=r"^redis_url \(redis\.example:6379\): .*maxmemory.*: give it more memory$"
        ),
        naming_server(SETTINGS),
    ):
        raise ServerFullError("the state server is full (maxmemory reached) and refuses writes")


@pytest.mark.parametrize("problem", [StateError("refused"), DeploymentMismatchError("of another secret")])
def test_what_is_no_matter_of_the_server_keeps_its_words(problem: StateError) -> None:
    with pytest.raises(type(problem)) as raised, naming_server(SETTINGS):
        raise problem

    assert raised.value is problem
    assert describe(SETTINGS, problem) == str(problem)
