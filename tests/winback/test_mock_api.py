"""The mock API: idempotency, misbehaviour on request, and access to its controls."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.mock_requests import GONE, changed, eventually, new_key, numbered, send
from tests.support.mock_servers import running, server
from winback.simulation.mock_api.app import create_app
from winback.simulation.mock_api.behaviour import MockConfig
from winback.simulation.mock_api.process import MockServer

__all__ = ["running", "server"]  # fixtures


# Idempotency


def test_repeated_request_gets_the_first_reply_without_a_contact(server: MockServer) -> None:
    key = new_key()
    server.control(body='{"call": 1}', times=1)
    assert [send(server, key=key).text for _ in range(3)] == ['{"call": 1}'] * 3
    assert [request["outcome"] for request in server.requests()] == ["accepted", "replayed", "replayed"]
    summary = server.summary()
    assert (summary["accepted"], summary["duplicates"], summary["people_contacted_more_than_once"]) == (1, 2, 0)


def test_the_same_key_with_another_body_gets_the_first_answer(server: MockServer) -> None:
    key = new_key()
    assert send(server, numbered(1), key=key).status_code == 200
    assert send(server, numbered(2), key=key).status_code == 200
    assert [request["outcome"] for request in server.requests()] == ["accepted", "replayed"]
    assert server.summary()["people_contacted"] == 1


def test_key_in_flight_is_refused_until_its_reply_is_sent(server: MockServer) -> None:
    key = new_key()
    server.control(delay="1s", times=1)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(send, server, key=key)
        eventually(lambda: server.summary()["accepted"] == 1)
        second = send(server, key=key)
        assert (second.status_code, second.json()["code"]) == (409, "REQUEST_IN_PROCESS")
        assert first.result().status_code == 200
    assert send(server, key=key).status_code == 200
    assert [request["outcome"] for request in server.requests()] == ["accepted", "in_flight", "replayed"]


def test_a_refused_request_does_not_use_up_its_key(server: MockServer) -> None:
    key = new_key()
    assert send(server, changed("session.platform", GONE), key=key).status_code == 400
    server.control(status=500, times=1)
    assert send(server, key=key).status_code == 500
    assert send(server, key=key).status_code == 200
    assert [request["outcome"] for request in server.requests()] == ["refused", "forced", "accepted"]


def test_a_key_is_forgotten_after_its_window(server: MockServer) -> None:
    server.control(idempotency_window="1ms")
    key = new_key()
    eventually(lambda: send(server, key=key).status_code == 200 and server.summary()["accepted"] == 2)


def test_without_idempotency_a_repeated_request_contacts_again(server: MockServer) -> None:
    server.control(idempotency=False)
    key = new_key()
    assert [send(server, key=key).status_code for _ in range(2)] == [200, 200]
    summary = server.summary()
    assert (summary["accepted"], summary["duplicates"], summary["people_contacted_more_than_once"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("client", "seen"),
    [
        *((here, 200) for here in ("127.0.0.1", "::1", "::ffff:127.0.0.1")),
        *((elsewhere, 403) for elsewhere in ("203.0.113.9", "::ffff:203.0.113.9", "2001:db8::1", "localhost")),
    ],
)
def test_only_health_is_reachable_from_other_machines(client: str, seen: int) -> None:
    async def ask(method: str, path: str) -> int:
        # Only this machine is available; the address is the one that a server would report.
        transport = httpx.ASGITransport(create_app(MockConfig(quiet=True)), client=(client, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://stand-in") as http:
            forged = {"X-Forwarded-For": "127.0.0.1", "Host": "127.0.0.1"}
            return (await http.request(method, path, headers=forged, json={})).status_code

    asked = [("GET", "/_control"), ("PUT", "/_control"), ("GET", "/_requests"), ("GET", "/_summary")]
    assert [asyncio.run(ask(*each)) for each in asked] == [seen] * 4
    assert asyncio.run(ask("DELETE", "/_requests")) == (204 if seen == 200 else 403)
    assert asyncio.run(ask("GET", "/_health")) == 200


def test_unknown_path_or_method_is_an_uncounted_error(server: MockServer) -> None:
    for method, path, status in [
        ("POST", "/ai-caller-ms/recovery-payment", 404),
        ("POST", "/ai-caller-ms/recovery-payment/external/", 404),
        ("GET", "/ai-caller-ms/recovery-payment/external", 405),
    ]:
        response = httpx.request(method, server.url + path)
        assert response.status_code == status
        assert set(response.json()) == {"code", "messages"}
    assert server.summary()["requests"] == 0


def test_summary_counts_requests_contacts_and_repetitions(server: MockServer) -> None:
    first, second = new_key(), new_key()
    send(server, numbered(1), key=first)
    send(server, numbered(1), key=first)  # the same request once more
    send(server, numbered(1), key=second)  # the same session and person again
    send(server, numbered(2))
    other_session = numbered(2)
    other_session["session"]["session_id"] = "sess_other"
    send(server, other_session)  # the same person, from another session
    send(server, {})
    server.control(status=500)
    send(server, numbered(3))
    server.control(drop="before")
    with pytest.raises(httpx.TransportError):
        send(server, numbered(4))
    assert server.summary() == {
        "requests": 8,
        "accepted": 4,
        "valid": 7,
        "invalid": 1,
        "replayed": 1,
        "in_flight": 0,
        "refused": 1,
        "forced": 1,
        "dropped": 1,
        "duplicates": 2,
        "people_contacted": 2,
        "people_contacted_more_than_once": 2,
        "statuses": {"200": 5, "400": 1, "500": 1, "none": 1},
    }
    server.forget()
    assert server.summary()["requests"] == 0
    assert server.requests() == []


def test_with_its_requests_it_forgets_their_keys(server: MockServer) -> None:
    key = new_key()
    send(server, key=key)
    server.forget()
    send(server, key=key)
    assert [request["outcome"] for request in server.requests()] == ["accepted"]
