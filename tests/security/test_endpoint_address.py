"""The request's destination: a public address, whatever the endpoint's name resolves to, and no other.

Redirects: test_yuno.py. Proxies in the environment: test_network_connections.py. Certificates: test_network_tls.py.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import httpcore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.delivery.addresses import address_block_reason
from tasks.delivery.breaker import verdict
from tasks.delivery.settings import DeliverySettings
from tasks.delivery.yuno import FORBIDDEN, Accepted, Reply, TryAgain, YunoClient
from tests.support.faulty_server import FaultyServer, reply
from tests.support.yuno_requests import limits, post
from worker.errors import StartError
from worker.settings import Settings, load

NAME = "yuno.example"
PUBLIC = "8.8.4.4"
"""No test connects to it."""
METADATA = ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192")
PRIVATE = ("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1", "64:ff9b::a00:1")
ELSEWHERE = (
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "2002:7f00:1::",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "0.1.2.3",
    "::",
    "fe80::1%1",
    "169.254.1.1",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "2001:db8::1",
    "fec0::1",
    "::8.8.8.8",
)

Connected = list[str]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Connected:
    """Return the addresses of attempted connections; none of them answers."""
    found: Connected = []

    def connect(_self: object, host: str, *_args: object, **_kwargs: object) -> None:
        found.append(host)
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return found


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Resolve the name to these addresses, in order of the lookups; the last ones stay. Returns the lookups."""

    def let(*answers: Sequence[str]) -> list[str]:
        asked: list[str] = []
        really = socket.getaddrinfo

        def answer(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's own signature
            if host not in {NAME, "localhost"}:
                return really(host, port, *args, **kwargs)
            asked.append(host)
            addresses = answers[min(len(asked), len(answers)) - 1]
            return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        return asked

    return let


@contextmanager
def client_of(endpoint: str, *, private: bool = False) -> Iterator[YunoClient]:
    settings = DeliverySettings(allow_private_endpoint=private, endpoint=endpoint)
    client = YunoClient(settings, max_connections=1)
    try:
        yield client
    finally:
        client.close()


def refused(found: Reply) -> bool:
    return isinstance(found, TryAgain) and found.why == FORBIDDEN and not found.counted


@pytest.mark.parametrize("address", [*PRIVATE, *METADATA, *ELSEWHERE])
def test_internal_name_is_refused_before_connecting(
    address: str, connected: Connected, resolve: Callable[..., list[str]]
) -> None:
    resolve([address])
    with client_of(f"https://{NAME}/") as client:
        attempt = limits()
        assert refused(post(client, attempt))
    assert not attempt.started
    assert connected == []


def test_local_service_is_not_reached_by_another_name(resolve: Callable[..., list[str]]) -> None:
    resolve(["127.0.0.1"])
    with FaultyServer(reply()) as server, client_of(f"https://{NAME}:{server.port}/") as client:
        assert refused(post(client))
        assert server.wires == []
    with FaultyServer(reply()) as server, client_of(f"http://localhost:{server.port}/") as client:
        assert post(client) == Accepted(200)


@pytest.mark.parametrize("address", [PUBLIC, *PRIVATE, *METADATA])
def test_local_name_resolves_only_to_this_machine(
    address: str, connected: Connected, resolve: Callable[..., list[str]]
) -> None:
    resolve([address])
    with client_of("http://localhost/", private=True) as client:
        assert refused(post(client))
    assert connected == []


def test_of_several_addresses_the_public_ones_are_tried(
    connected: Connected, resolve: Callable[..., list[str]]
) -> None:
    resolve(["10.0.0.1", PUBLIC, "::1", "2606:4700::1"])
    with client_of(f"https://{NAME}/") as client:
        assert post(client) == TryAgain("connect_error")
    assert connected == [PUBLIC, "2606:4700::1"]


@given(
    st.lists(st.sampled_from([PUBLIC, "2606:4700::1", *PRIVATE, *METADATA, *ELSEWHERE]), min_size=1, max_size=6),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_of_mixed_answers_only_what_is_allowed_is_connected_to(
    connected: Connected,
    resolve: Callable[..., list[str]],
    answer: list[str],
    private: bool,  # noqa: FBT001 - a case
) -> None:
    resolve(answer)
    connected.clear()
    with client_of(f"https://{NAME}/", private=private) as client:
        found = post(client)
    allowed = {PUBLIC, "2606:4700::1", *(PRIVATE if private else ())}
    assert connected == [address for address in dict.fromkeys(answer) if address in allowed]
    assert refused(found) == (not connected)


def test_checked_address_is_the_connected_one(connected: Connected, resolve: Callable[..., list[str]]) -> None:
    asked = resolve([PUBLIC], ["127.0.0.1"])
    with client_of(f"https://{NAME}/") as client:
        assert post(client) == TryAgain("connect_error")
        assert (connected, len(asked)) == ([PUBLIC], 1)
        assert refused(post(client))
    assert connected == [PUBLIC]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_used_when_that_is_asked_for(
    address: str, connected: Connected, resolve: Callable[..., list[str]]
) -> None:
    resolve([address])
    with client_of(f"https://{NAME}/", private=True) as client:
        post(client)
    assert connected == [address]


@pytest.mark.parametrize("address", [*METADATA, *ELSEWHERE])
def test_nothing_else_is_used_then_either(
    address: str, connected: Connected, resolve: Callable[..., list[str]]
) -> None:
    resolve([address])
    with client_of(f"https://{NAME}/", private=True) as client:
        assert refused(post(client))
    assert connected == []


@given(st.ip_addresses(v=4))
def test_address_and_its_ipv6_forms_must_be_global(address: IPv4Address) -> None:
    kind = address_block_reason(str(address))
    assert kind is not None or (address.is_global and not address.is_multicast and not address.is_reserved)
    number = int(address)
    for form in (0xFFFF << 32 | number, int(IPv6Address("64:ff9b::")) | number, 0x2002 << 112 | number << 80):
        assert address_block_reason(str(IPv6Address(form))) == kind


def test_a_refusal_stops_sending_for_all_and_costs_no_attempt() -> None:
    assert verdict(TryAgain(FORBIDDEN, counted=False)) == "failing"


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("10.0.0.1", "private"),
        ("[fd00::1]", "private"),
        ("169.254.169.254", "link-local"),
        ("[::ffff:127.0.0.1]", "loopback"),
        ("0.0.0.0", "unspecified"),  # noqa: S104 - an address to refuse
        ("224.0.0.1", "multicast"),
    ],
)
def test_an_address_in_the_setting_itself_is_refused_in_one_line(host: str, kind: str) -> None:
    with pytest.raises(StartError) as stopped:
        load({"WINBACK_DELIVERY__ENDPOINT": f"https://{host}/x"})
    (line,) = str(stopped.value).splitlines()
    assert line.startswith("WINBACK_DELIVERY__ENDPOINT: ")
    assert f"leads to a {kind} address, where nothing is sent; see delivery.allow_private_endpoint" in line


def test_private_address_is_accepted_when_allowed() -> None:
    env = {"WINBACK_DELIVERY__ENDPOINT": "https://10.0.0.1/x", "WINBACK_DELIVERY__ALLOW_PRIVATE_ENDPOINT": "true"}
    assert load(env).delivery.endpoint == "https://10.0.0.1/x"
    assert not Settings().delivery.allow_private_endpoint


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost.", "LOCALHOST"])
def test_this_machine_in_disguise_is_not_reached(host: str) -> None:
    with FaultyServer(reply()) as server:
        try:
            endpoint = load({"WINBACK_DELIVERY__ENDPOINT": f"https://{host}:{server.port}/"}).delivery.endpoint
        except StartError:
            return
        with client_of(endpoint) as client:
            assert isinstance(post(client), TryAgain)
        assert not server.received or b"POST" not in server.received
