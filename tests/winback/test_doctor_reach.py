import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli_support import (
    PATIENCE_S,
    cluster,
    dead_port,
    doctor,
    environment,
    listener,
    make_healthy,
    marks,
    run,
)
from worker.monitoring.health import Finding
from worker.runtime import State
from worker.server_errors import reason
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

KEYS = {"WINBACK_DELIVERY__PUBLIC_API_KEY": "public", "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "hunter2"}
LIVE = {"WINBACK_DELIVERY__MODE": "live", **KEYS}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def env(valkey: EmbeddedValkey) -> Iterator[dict[str, str]]:
    """A system in shadow mode whose endpoint can be reached."""
    with listener() as (port, _):
        yield environment(valkey.url, WINBACK_DELIVERY__ENDPOINT=f"http://127.0.0.1:{port}/")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


@pytest.mark.usefixtures("healthy")
def test_a_broker_of_its_own_that_is_away_is_found(env: dict[str, str]) -> None:
    port = dead_port()
    code, found = doctor({**env, "WINBACK_BROKER_URL": f"amqp://u:hunter2@127.0.0.1:{port}//"})

    assert code == 1
    assert marks(found, "fail") == {"broker": "fail"}
    assert found["broker"].text == f"127.0.0.1:{port}: nothing listens there"


def test_a_node_of_a_cluster_is_no_broker(real_state: State, env: dict[str, str], folder: Path) -> None:
    with cluster(folder) as port:
        make_healthy(real_state)
        _, found = doctor({**env, "WINBACK_BROKER_URL": f"redis://127.0.0.1:{port}/0"})

    assert marks(found, "fail") == {"broker": "fail"}
    assert "Redis Cluster" in found["broker"].text


@pytest.mark.usefixtures("healthy")
def test_endpoint_check_connects_and_sends_nothing(env: dict[str, str]) -> None:
    with listener() as (port, told):
        code, found = doctor({**env, **LIVE, "WINBACK_DELIVERY__ENDPOINT": f"http://127.0.0.1:{port}/"})
        assert told.result(PATIENCE_S) == b""

    assert code == 0
    assert found["endpoint"] == Finding("endpoint", "ok", f"127.0.0.1:{port} can be reached")


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(("mode", "mark", "code"), [({}, "warn", 0), (LIVE, "fail", 1)])
def test_unreachable_endpoint_fails_only_in_live_mode(
    env: dict[str, str], mode: dict[str, str], mark: str, code: int
) -> None:
    port = dead_port()
    found_code, found = doctor({**env, **mode, "WINBACK_DELIVERY__ENDPOINT": f"https://127.0.0.1:{port}/"})

    assert (found["endpoint"].mark, found_code) == (mark, code)
    assert found["endpoint"].text == f"127.0.0.1:{port}: nothing listens there"
    assert found["endpoint"].hint == (
        "start it, or fix delivery.endpoint" if mode else "needed only in live mode, and only by recover"
    )


@pytest.mark.usefixtures("healthy")
def test_internal_endpoint_is_found_without_connecting(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    really = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's own signature
        return really("127.0.0.1" if host == "yuno.example" else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with listener() as (port, told):
        code, found = doctor({**env, **LIVE, "WINBACK_DELIVERY__ENDPOINT": f"https://yuno.example:{port}/"})
        assert not told.done()

    assert (code, found["endpoint"].mark) == (1, "fail")
    assert found["endpoint"].text == (
        f"yuno.example:{port}: it has no public address but 127.0.0.1 (loopback), where nothing is sent"
    )


@pytest.mark.usefixtures("healthy")
def test_endpoint_with_an_address_that_is_not_used_is_named(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's own signature
        answers = [host] if host != "localhost" else ["10.0.0.1", "127.0.0.1"]
        return [found for answer in answers for found in really(answer, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with listener() as (port, _):
        code, found = doctor({**env, **LIVE, "WINBACK_DELIVERY__ENDPOINT": f"http://localhost:{port}/"})
    assert (code, found["endpoint"].mark) == (0, "warn")
    assert found["endpoint"].text == (
        f"localhost:{port} can be reached, but it also has 10.0.0.1 (not loopback), where nothing is sent"
    )


@pytest.mark.usefixtures("healthy")
def test_an_endpoint_that_does_not_speak_tls_is_found(env: dict[str, str]) -> None:
    with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, told):
        _, found = doctor({**env, "WINBACK_DELIVERY__ENDPOINT": f"https://127.0.0.1:{port}/"})
        assert told.result(PATIENCE_S)[:1] == b"\x16", "a handshake, and never a request"

    assert found["endpoint"].mark == "warn"
    assert "it does not speak TLS as expected" in found["endpoint"].text


def test_invalid_certificate_is_reported_with_the_reason() -> None:
    problem = ssl.SSLCertVerificationError(1, "certificate verify failed")
    problem.verify_message = "self-signed certificate"

    assert reason(problem) == "its certificate is not valid: self-signed certificate"


@pytest.mark.usefixtures("healthy")
def test_live_mode_needs_both_keys_and_none_of_them_is_shown(env: dict[str, str]) -> None:
    code, shown = run("doctor", **{**env, **LIVE})
    assert code == 0
    assert "hunter2" not in shown

    _, found = doctor({**env, **LIVE, "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": ""})
    assert found["secrets"].text.startswith("delivery.private_secret_key: is missing; ")
