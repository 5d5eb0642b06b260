"""A server that can't be used is diagnosed: its password, its database, TLS, or another kind of server on the port."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import gaierror
from threading import Thread

import pytest
import trustme
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from state.errors import ServerUnavailableError
from tests.support.cli_support import dead_port, environment
from worker.diagnosis import Diagnosis, diagnose
from worker.errors import StartError
from worker.monitoring import reach
from worker.port_probe import protocol_of
from worker.server_errors import call_with_timeout
from worker.settings import Settings, load
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

SETTING = "WINBACK_REDIS_URL"
HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"


@contextmanager
def answering(reply: bytes, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port that answers each connection with the same bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(connection: socket.socket) -> None:
            spoken = context.wrap_socket(connection, server_side=True) if context else connection
            with spoken:
                spoken.recv(64)
                spoken.sendall(reply)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with suppress(OSError), connection:
                        answer(connection)

        Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    return context


def wrapped(cause: Exception) -> ServerUnavailableError:
    found = ServerUnavailableError("refused")
    found.__cause__ = cause
    return found


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate {CN=x}"
    return error


@pytest.mark.parametrize(
    ("error", "reason", "hint"),
    [
        (AuthenticationError("invalid username-password pair"), "it refuses the user or password", "correct the user "),
        (
            AuthenticationError("Authentication required."),
            f"it needs a password, and {SETTING} has none",
            "write redis",
        ),
        (
            AuthenticationError("AUTH <password> called without any password configured for the default user."),
            f"{SETTING} has a password, but the server has none",
            "remove the password",
        ),
        (untrusted(), "its certificate is not valid: self-signed certificate (CN=x)", "add its CA to "),
        (ResponseError("DB index is out of range"), "it has no database 7", "write a smaller number"),
        (
            ResponseError("SELECT is not allowed in cluster mode"),
            "it is a Redis Cluster, which has only database 0",
            "write /0",
        ),
    ],
)
def test_an_error_that_tells_is_explained(error: Exception, reason: str, hint: str) -> None:
    found = diagnose(wrapped(error), "redis://shop:hunter2@redis.example:6379/7", SETTING, probe=False)

    assert found is not None
    assert found.reason == reason
    assert found.hint.startswith(hint)
    assert SETTING in found.hint
    assert "hunter2" not in str(found)


def test_an_error_that_is_clear_stays_as_it_is() -> None:
    assert diagnose(RedisConnectionError("away"), f"redis://127.0.0.1:{dead_port()}/0", SETTING, probe=True) is None


@pytest.mark.parametrize(
    ("reply", "protocol"),
    [
        (b"+PONG\r\n", "redis"),
        (b"-NOAUTH Authentication required.\r\n", "redis"),
        (HTTP, "HTTP"),
        (b"<!DOCTYPE html>", "HTTP"),
        (b"AMQP\x00\x00\x09\x01", "AMQP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"220 mail.example ESMTP\r\n", "unknown"),
        (b"", "unknown"),
    ],
)
def test_protocol_of_a_port_is_recognised(reply: bytes, protocol: str) -> None:
    with answering(reply) as port:
        assert protocol_of(f"redis://127.0.0.1:{port}/0") == protocol


@pytest.mark.parametrize(("reply", "protocol"), [(b"+PONG\r\n", "redis over TLS"), (HTTP, "HTTPS")])
def test_protocol_behind_tls_is_recognised(tls: ssl.SSLContext, reply: bytes, protocol: str) -> None:
    with answering(reply, tls) as port:
        assert protocol_of(f"redis://127.0.0.1:{port}/0") == protocol


def test_a_closed_port_has_no_protocol() -> None:
    assert protocol_of(f"redis://127.0.0.1:{dead_port()}/0") == "nothing"
    assert protocol_of("redis://[") == "nothing"


@pytest.mark.parametrize(
    ("scheme", "reply", "reason"),
    [
        ("redis", HTTP, "an HTTP server answers there, not Redis"),
        ("redis", b"AMQP\x00\x00\x09\x01", "an AMQP broker (RabbitMQ) answers there, not Redis"),
        ("rediss", b"+PONG\r\n", f"it doesn't speak TLS, and {SETTING} does"),
        ("amqp", b"+PONG\r\n", "a Redis server answers there, not an AMQP broker"),
        ("amqp", HTTP, "an HTTP server answers there, not a broker"),
    ],
)
def test_the_wrong_server_on_the_port_is_named(scheme: str, reply: bytes, reason: str) -> None:
    with answering(reply) as port:
        found = diagnose(RedisConnectionError("?"), f"{scheme}://127.0.0.1:{port}/0", SETTING, probe=True)

    assert found is not None
    assert found.reason == reason


def test_a_server_that_speaks_tls_asks_for_rediss(tls: ssl.SSLContext) -> None:
    with answering(b"+PONG\r\n", tls) as port:
        found = diagnose(RedisConnectionError("?"), f"redis://127.0.0.1:{port}/0", SETTING, probe=True)

    assert found == Diagnosis(
        f"it speaks TLS, and {SETTING} doesn't", f"write rediss:// instead of redis:// in {SETTING}"
    )


def test_commands_name_an_http_server_on_the_redis_port() -> None:
    with answering(HTTP) as port:
        settings = Settings(redis_url=f"redis://127.0.0.1:{port}/0")

        def fails() -> None:
            raise ServerUnavailableError("it does not answer")

        with pytest.raises(StartError) as raised:
            call_with_timeout(settings, fails)

    assert str(raised.value) == (
        f"redis_url (127.0.0.1:{port}): an HTTP server answers there, not Redis: "
        "correct the host and port in WINBACK_REDIS_URL"
    )


def test_the_broker_hint_names_the_setting_that_has_it(valkey: EmbeddedValkey) -> None:
    error = AuthenticationError("invalid username-password pair")
    derived = reach.broker_problem(load(environment(valkey.url)), error)
    own = reach.broker_problem(load(environment(valkey.url, WINBACK_BROKER_URL="redis://h:1/3")), error)

    assert derived is not None
    assert derived.hint == "correct the user and password in WINBACK_REDIS_URL"
    assert own is not None
    assert own.hint == "correct the user and password in WINBACK_BROKER_URL"


def test_a_broker_without_that_database_is_not_ok(valkey: EmbeddedValkey) -> None:
    url = valkey.url.replace("/0", "/9999")

    with pytest.raises(ResponseError, match="DB index is out of range"):
        reach.broker(load(environment(valkey.url, WINBACK_BROKER_URL=url)))


def test_broker_of_an_unknown_host_gets_the_hint_to_fix_its_name(valkey: EmbeddedValkey) -> None:
    found = reach.broker_problem(load(environment(valkey.url, WINBACK_BROKER_URL="amqp://h:1//")), gaierror())

    assert found is not None
    assert found.text == "h:1: there is no such host"
    assert found.hint == "fix the host name in WINBACK_BROKER_URL"
