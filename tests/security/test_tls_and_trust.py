"""Only the bundled authorities are trusted, and old TLS is refused. The rest of TLS: test_network_tls.py."""

import socket
import ssl
from pathlib import Path

import pytest
import trustme

from tasks.delivery.deadline_transport import DeadlineTransport, pinned_ssl_context
from tasks.delivery.yuno import TryAgain
from tests.support.faulty_server import FaultyServer, reply
from tests.support.waiting import eventually
from tests.support.yuno_requests import client_of, post


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def presenting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    with (
        FaultyServer(reply(), tls=server) as listening,
        socket.create_connection(("127.0.0.1", listening.port)) as plain,
    ):
        try:
            with client.wrap_socket(plain, server_hostname="localhost"):
                return True
        except ssl.SSLError:
            return False


def test_an_authority_in_the_environment_is_not_trusted(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    tls = presenting(authority)
    assert shakes_hands(ssl.create_default_context(), tls), "who goes by the environment trusts it"
    with FaultyServer(reply(), tls=tls) as server, client_of(server.url) as client:
        assert post(client) == TryAgain("connect_error")
        eventually(lambda: server.wires and server.wires[0].ended)
        assert server.received == b""


def test_keys_of_sessions_are_written_nowhere(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with FaultyServer(reply(), tls=presenting(authority)) as server, client_of(server.url) as client:
        post(client)
    assert not (tmp_path / "keys").exists()


def test_certificate_and_name_are_both_asked_for() -> None:
    context = pinned_ssl_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_before_1_2_is_refused(authority: trustme.CA) -> None:
    old, lax = presenting(authority), ssl.create_default_context()
    for context in (old, lax):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    authority.configure_trust(lax)
    assert shakes_hands(lax, old)
    DeadlineTransport(max_connections=1, ssl_context=lax).close()
    assert not shakes_hands(lax, old)
