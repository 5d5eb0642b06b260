"""The server of the compose file: its command and configuration, run by a real Valkey."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.supervision.valkey_process import binary

ROOT = Path(__file__).parents[2]
SERVER = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]
PASSWORD = "a1b2c3d4e5f6"
DEADLINE_S = 10.0


@dataclass(frozen=True)
class Running:
    port: int
    pid: int

    def client(self, password: str | None = PASSWORD) -> redis.Redis:
        return redis.Redis(port=self.port, password=password, decode_responses=True, retry=Retry(NoBackoff(), 0))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """Run the container's command, with only the data directory and the address changed."""
    port = free_port()
    (tmp_path / "valkey-server").symlink_to(binary())
    own = {"^port .*": f"port {port}", "^bind .*": "bind 127.0.0.1", "^dir .*": f"dir {tmp_path}"}
    configuration = (ROOT / "deploy" / "valkey.conf").read_text()
    for line, replacement in own.items():
        configuration, found = re.subn(line, replacement, configuration, flags=re.MULTILINE)
        assert found == 1
    (tmp_path / "valkey.conf").write_text(configuration)

    shell, option, script = SERVER["command"]
    # As compose changes a command: its variables, then $$ for a dollar sign.
    script = re.sub(r"(?<!\$)\$\{\w+:-([^}]*)}", r"\1", script).replace("$$", "$")
    script = script.replace("/etc/valkey/valkey.conf", str(tmp_path / "valkey.conf"))
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REDISCLI_AUTH": PASSWORD}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [shell, option, script], env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    running = Running(port, process.pid)
    try:
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                with running.client() as client:
                    client.ping()
                break
            except redis.ConnectionError:
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield running
    finally:
        # The whole group: a command without exec has the server as a child of the shell.
        with contextlib.suppress(ProcessLookupError):  # it ended by itself: the log has the reason
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_server_persists_evicts_nothing_and_keeps_hashes_compact(server: Running) -> None:
    with server.client() as client:
        settings = client.config_get("*")
    assert isinstance(settings, dict)
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["maxmemory-policy"] == "noeviction"
    assert int(settings["maxmemory"]) == 512 * 1024 * 1024
    assert settings["hash-max-listpack-entries"] == "512"
    assert settings["hash-max-listpack-value"] == "1024"


def test_server_requires_the_given_password(server: Running) -> None:
    with server.client(password=None) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.get("anything")
    with server.client() as known:
        assert known.get("anything") is None


def test_password_is_in_no_file_or_process_list(server: Running, tmp_path: Path) -> None:
    listed = subprocess.run(["ps", "-o", "args=", "-p", str(server.pid)], capture_output=True, text=True, check=True)
    assert "valkey-server" in listed.stdout
    assert PASSWORD not in listed.stdout
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert files
    assert not any(PASSWORD.encode() in path.read_bytes() for path in files)


def test_the_server_itself_is_what_the_container_stops(server: Running) -> None:
    # Behind a shell, it wouldn't receive SIGTERM, and would be killed before it writes its last second.
    with server.client() as client:
        about = client.info("server")
    assert isinstance(about, dict)
    assert about["process_id"] == server.pid
