import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.cli_support import ROLES, dead_port, environment, last_seen, make_healthy, run
from tests.support.durations import SECOND_MS
from worker.errors import StartError
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def env(valkey: EmbeddedValkey) -> dict[str, str]:
    return environment(valkey.url)


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


@contextmanager
def http_server(status: int) -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def check(role: str, env: dict[str, str]) -> tuple[int, str]:
    code, shown = run("doctor", "--role", role, **env)
    assert len(shown.splitlines()) == 1
    return code, shown.strip()


@pytest.mark.parametrize("role", ROLES)
def test_role_with_a_recent_heartbeat_is_alive(healthy: State, env: dict[str, str], role: str) -> None:
    last_seen(healthy, role, 29 * SECOND_MS)
    code, shown = check(role, env)

    assert code == 0
    assert shown.startswith(f"{role}: alive on this host (")


@pytest.mark.parametrize("role", ROLES)
def test_role_silent_for_30_seconds_is_not_alive(healthy: State, env: dict[str, str], role: str) -> None:
    last_seen(healthy, role, 31 * SECOND_MS)
    code, shown = check(role, env)

    assert code == 1
    assert shown.endswith(") for 31 s")


def test_the_same_role_on_another_host_does_not_count(healthy: State, env: dict[str, str]) -> None:
    last_seen(healthy, "ingest", 0, process=f"{socket.gethostname()}-2:1")

    assert check("ingest", env)[0] == 1


@pytest.mark.parametrize(("interval", "code"), [(timedelta(seconds=60), 0), (timedelta(seconds=20), 1)])
def test_a_sweep_may_be_silent_for_three_of_its_intervals(
    healthy: State, env: dict[str, str], interval: timedelta, code: int
) -> None:
    last_seen(healthy, "sweep", 90 * SECOND_MS)

    assert check("sweep", {**env, "WINBACK_DETECTION__SWEEP_INTERVAL": f"{interval.seconds}s"})[0] == code


@pytest.mark.usefixtures("healthy")
def test_role_check_needs_only_the_server_address(env: dict[str, str]) -> None:
    only = {"WINBACK_REDIS_URL": env["WINBACK_REDIS_URL"]}

    assert check("beat", only)[0] == 0
    assert check("beat", {**only, "WINBACK_DELIVERY__MODE": "live"})[0] == 0


@pytest.mark.usefixtures("healthy")
def test_broken_settings_edit_leaves_roles_healthy(env: dict[str, str], folder: Path) -> None:
    (folder / "winback.toml").write_text("[detection]\nsweep_interval = 'often'\n")

    assert [check(role, env)[0] for role in ROLES] == [0, 0, 0, 0]


def test_role_without_its_server_is_not_alive_with_a_reason(env: dict[str, str]) -> None:
    port = dead_port()
    code, shown = check("ingest", {**env, "WINBACK_REDIS_URL": f"redis://127.0.0.1:{port}/0"})

    assert code == 1
    assert shown.startswith(f"ingest: redis_url (127.0.0.1:{port}): nothing listens there: ")


LENIENT = ("--role", "ingest", "--server-may-be-away")


def test_server_outage_can_be_tolerated_but_a_silent_role_not(healthy: State, env: dict[str, str]) -> None:
    away = {**env, "WINBACK_REDIS_URL": f"redis://127.0.0.1:{dead_port()}/0"}
    code, shown = run("doctor", *LENIENT, **away)
    assert (code, "nothing listens there" in shown) == (0, True)
    assert run("doctor", *LENIENT, **env)[0] == 0
    last_seen(healthy, "ingest", 31 * SECOND_MS)
    assert run("doctor", *LENIENT, **env)[0] == 1


def test_a_missing_address_is_no_server_that_is_away() -> None:
    code, shown = run("doctor", *LENIENT)
    assert (code, shown.startswith("ingest: redis_url: ")) == (1, True)


def test_server_option_needs_one_role() -> None:
    with pytest.raises(StartError, match=r"^--server-may-be-away: .*--role$"):
        run("doctor", "--server-may-be-away")


@pytest.mark.usefixtures("healthy")
def test_the_check_of_a_role_can_be_read_by_a_program(env: dict[str, str]) -> None:
    code, shown = run("doctor", "--role", "beat", "--json", **env)

    assert code == 0
    assert json.loads(shown)["ok"] is True
    assert [found["name"] for found in json.loads(shown)["checks"]] == ["beat"]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - as it is in a container
def test_flower_is_asked_itself(address: str) -> None:
    with http_server(200) as (port, asked):
        code, shown = check("flower", {"WINBACK_FLOWER__PORT": str(port), "WINBACK_FLOWER__ADDRESS": address})

    assert (code, shown) == (0, f"flower: alive, answers on 127.0.0.1:{port}")
    assert asked == ["/healthcheck"]


def test_a_flower_that_answers_with_an_error_is_not_well() -> None:
    with http_server(500) as (port, _):
        code, shown = check("flower", {"WINBACK_FLOWER__PORT": str(port)})

    assert code == 1
    assert shown.startswith(f"flower: 127.0.0.1:{port} answers 500")


def test_missing_flower_is_reported() -> None:
    port = dead_port()

    assert check("flower", {"WINBACK_FLOWER__PORT": str(port)}) == (
        1,
        f"flower: 127.0.0.1:{port}: nothing listens there",
    )
