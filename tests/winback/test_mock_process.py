"""The mock API as a process: its output, start and end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.mock_requests import IMPATIENT, KEYS, SEED, changed, eventually, headers, new_key, send
from winback.cli.mock_api import mock_api
from winback.simulation.mock_api.process import MockServer
from worker.errors import StartError

COMMAND = [sys.executable, "-m", "winback", "mock-api"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")}


@contextmanager
def command(*options: str, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run `winback mock-api` on a free port and give its process and address."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, **environment},
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[0-9.:]+", process.stdout.readline())
            assert found is not None
            yield process, found[0]
        finally:
            process.kill()


# What it prints


def test_request_log_line_has_everything_but_personal_data() -> None:
    key = new_key()
    with MockServer(**KEYS) as server:
        send(server, key=key)
        send(server, changed("session.session_id", "Jane Doe <jane.doe@example.com>"))
        send(server, {}, key="jane.doe@example.com")
        server.control(drop="after")
        with pytest.raises(httpx.TransportError):
            send(server, key=key)
        printed = server.printed()
    _, *rest = printed.splitlines()
    assert rest[0].split()[1:] == ["200", "accepted", key, "sess_abc123xyz"]
    assert [line.split()[1:3] for line in rest[1:]] == [["200", "accepted"], ["400", "refused"], ["---", "replayed"]]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}Z", line.split()[0]) for line in rest)
    for personal in ("Jane", "jane", "3001234567", "Headphones", "fictitious"):
        assert personal not in printed


def test_lines_can_be_json_or_left_out() -> None:
    with MockServer(json_lines=True) as server:
        send(server)
        first, second = (json.loads(line) for line in server.printed().splitlines())
        assert first == {"listening": server.url}
        assert (second["status"], second["outcome"], second["session_id"]) == (200, "accepted", "sess_abc123xyz")
    with MockServer(quiet=True) as server:
        send(server)
        assert len(server.printed().splitlines()) == 1


def test_mock_continues_when_its_output_is_closed() -> None:
    with command() as (process, url):
        assert process.stdout is not None
        process.stdout.close()
        for _ in range(3):
            response = httpx.post(f"{url}/smart-support/external/payments", json=SEED, headers=headers())
            assert response.status_code == 200
        process.terminate()
        assert process.wait(10) == 0


def test_client_that_disconnects_early_leaves_no_trace() -> None:
    with MockServer() as server:
        address = httpx.URL(server.url)
        with socket.create_connection((address.host, address.port or 0)) as client:
            head = "POST /ai-caller-ms/recovery-payment/external HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
            client.sendall(head.encode() + b"{")
        send(server)
        assert server.summary()["requests"] == 1
        assert len(server.printed().splitlines()) == 2


# How it starts and ends


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_the_mock_in_order_despite_a_long_delay(number: signal.Signals) -> None:
    with command("--delay", "1h") as (process, url):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/smart-support/external/payments", json=SEED, headers=headers(), timeout=IMPATIENT)
        eventually(lambda: httpx.get(f"{url}/_summary").json()["accepted"] == 1)
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_what_is_nearly_answered_is_answered_before_it_ends() -> None:
    with MockServer(delay="400ms") as server, ThreadPoolExecutor() as threads:
        reply = threads.submit(send, server)
        eventually(lambda: server.summary()["accepted"] == 1)
        assert server.stop() == 0
        assert reply.result().status_code == 200


def test_a_port_in_use_ends_the_start_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"^--port {port}: already in use on 127.0.0.1; .*$"):
            mock_api(port=port)
        with pytest.raises(StartError, match=f"^--port {port}: already in use on 127.0.0.1; .*$"):
            MockServer(port=port).__enter__()


@pytest.mark.parametrize(
    ("host", "port", "named"),
    [
        ("203.0.113.9", 8099, "--host 203.0.113.9 --port 8099"),
        ("not a host", 8099, "--host not a host --port 8099"),
        ("127.0.0.1", 70000, "--port 70000"),
        ("127.0.0.1", -1, "--port -1"),
    ],
)
def test_an_address_that_is_not_ours_ends_the_start_in_one_line(host: str, port: int, named: str) -> None:
    with pytest.raises(StartError, match=f"^{re.escape(named)}: .+$"):
        mock_api(host=host, port=port)


def test_invalid_options_end_the_start_with_one_line_each() -> None:
    with pytest.raises(StartError) as caught:
        mock_api(port=0, status="500,six", delay="2", retry_after="1\n2", times=0)
    told = str(caught.value).splitlines()
    assert told == [
        "--status: must be a whole number",
        "--delay: has no unit: write 2s, 2m or 2h (units: ms, s, m, h, d); or off",
        "--retry-after: must be printable ASCII in one line, without spaces at its ends",
        "--times: must be at least 1",
    ]
    with pytest.raises(StartError, match=r"^--public-api-key, --private-secret-key: give both keys or neither$"):
        mock_api(port=0, public_api_key="only-one")


def test_keys_come_from_the_environment_and_faults_from_options() -> None:
    keys = {
        "WINBACK_DELIVERY__PUBLIC_API_KEY": f" {KEYS['public_api_key']}\n",
        "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": KEYS["private_secret_key"],
    }
    tricks = [
        "--status",
        "503,200",
        "--retry-after",
        "9",
        "--body",
        "{}",
        "--times",
        "3",
        "--no-idempotency",
        "--quiet",
    ]
    with command(*tricks, **keys) as (process, url):
        key = new_key()
        answers = [httpx.post(f"{url}/_x", json=SEED)] + [
            httpx.post(f"{url}/v1/smart-support/external/payments", json=SEED, headers=headers(key)) for _ in range(4)
        ]
        assert [answer.status_code for answer in answers] == [404, 503, 200, 503, 200]
        assert [answer.text for answer in answers[1:]] == ["{}", "{}", "{}", ""]
        assert answers[1].headers["Retry-After"] == "9"
        bare = httpx.post(f"{url}/v1/smart-support/external/payments", json=SEED)
        assert bare.status_code == 401
        assert httpx.get(f"{url}/_summary").json()["accepted"] == 2
        process.terminate()
        assert process.communicate(timeout=10) == ("", "")


def test_it_starts_again_on_the_same_port_knowing_nothing() -> None:
    with MockServer() as server:
        url, key = server.url, new_key()
        send(server, key=key)
        assert server.stop() == 0
        with pytest.raises(httpx.ConnectError):
            send(server)
        server.start()
        assert server.url == url
        send(server, key=key)
        assert [request["outcome"] for request in server.requests()] == ["accepted"]


def test_client_address_ignores_forwarded_headers() -> None:
    with MockServer() as server:
        assert httpx.get(f"{server.url}/_summary", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200


def test_mock_ends_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import time; from winback.simulation.mock_api.process import MockServer;"
        "server = MockServer(); server.start();"
        "print(server.url, flush=True); time.sleep(600)"
    )
    where = {**ENVIRONMENT, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=where) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert httpx.get(f"{url}/_health").status_code == 200
        parent.kill()

    def gone() -> bool:
        try:
            httpx.get(f"{url}/_health", timeout=1)
        except httpx.TransportError:
            return True
        return False

    eventually(gone)
