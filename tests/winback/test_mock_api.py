"""The stand-in for Yuno's API: idempotency, misbehaviour on request, and who may ask for it."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pydantic import ValidationError

from tests.support.mock_requests import GONE, IMPATIENT, SEED, changed, eventually, headers, new_key, numbered, send
from winback.simulation.mock_api.app import create_app
from winback.simulation.mock_api.behaviour import MockConfig
from winback.simulation.mock_api.process import MockServer


@pytest.fixture(scope="module")
def running() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def server(running: MockServer) -> MockServer:
    running.control()
    running.forget()
    return running


# Idempotency


def test_a_repeated_request_gets_the_first_answer_and_contacts_nobody_again(server: MockServer) -> None:
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


def test_a_key_that_is_in_flight_is_refused_until_its_answer_is_out(server: MockServer) -> None:
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


# Misbehaviour


@pytest.mark.parametrize(("drop", "taken"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_breaks_off_without_an_answer(server: MockServer, drop: str, taken: int) -> None:
    server.control(drop=drop)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        send(server)
    [request] = server.requests()
    assert (request["status"], server.summary()["accepted"]) == (None, taken)
    assert request["body"] == SEED


def test_a_dropped_connection_leaves_the_others_alone(server: MockServer) -> None:
    server.control(drop="before", times=1)
    with httpx.Client(base_url=server.url) as patient:
        assert patient.get("/_health").status_code == 200
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            send(server)
        assert patient.get("/_health").status_code == 200
    assert send(server).status_code == 200


def test_a_request_that_was_taken_before_the_drop_is_answered_when_it_comes_again(server: MockServer) -> None:
    key = new_key()
    server.control(drop="after", times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        send(server, key=key)
    assert send(server, key=key).status_code == 200
    assert [request["outcome"] for request in server.requests()] == ["accepted", "replayed"]


def test_statuses_are_answered_in_turn_over_and_over(server: MockServer) -> None:
    server.control(status="500,503,200")
    assert [send(server).status_code for _ in range(5)] == [500, 503, 200, 500, 503]
    assert [request["status"] for request in server.requests()] == [500, 503, 200, 500, 503]
    assert server.summary()["accepted"] == 1
    assert server.summary()["statuses"] == {"200": 1, "500": 2, "503": 2}


@pytest.mark.parametrize("status", [301, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504, 599])
def test_a_status_that_is_no_success_takes_nothing(server: MockServer, status: int) -> None:
    server.control(status=status)
    response = send(server)
    assert response.status_code == status
    assert set(response.json()) == {"code", "messages"}
    assert server.summary()["accepted"] == 0


@pytest.mark.parametrize("status", [201, 202, 204])
def test_another_success_takes_the_request_but_not_an_invalid_one(server: MockServer, status: int) -> None:
    server.control(status=status)
    assert send(server).status_code == status
    assert send(server, {}).status_code == 400
    assert server.summary()["accepted"] == 1


@pytest.mark.parametrize("value", ["7", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", "-1"])
def test_retry_after_is_sent_as_it_is_and_only_where_it_belongs(server: MockServer, value: str) -> None:
    server.control(status=[429, 503, 500, 200], retry_after=value)
    assert [send(server).headers.get("Retry-After") for _ in range(4)] == [value, value, None, None]


def test_a_redirect_leads_back_so_that_following_it_is_seen(server: MockServer) -> None:
    server.control(status=307, times=1)
    response = send(server)
    assert httpx.URL(server.url).join(response.headers["Location"]) == server.endpoint


def test_the_body_of_the_answer_can_be_anything(server: MockServer) -> None:
    server.control(status="500,200", body="<html>ünexpected</html>")
    assert [send(server).content.decode() for _ in range(2)] == ["<html>ünexpected</html>"] * 2


def test_an_answer_can_be_late_and_late_answers_do_not_wait_for_each_other(server: MockServer) -> None:
    server.control(delay="300ms")
    began = time.monotonic()
    with ThreadPoolExecutor(40) as threads:
        statuses = [reply.status_code for reply in threads.map(lambda n: send(server, numbered(n)), range(40))]
    took = time.monotonic() - began
    assert statuses == [200] * 40
    assert 0.3 <= took < 40 * 0.3
    assert server.summary()["people_contacted"] == 40


def test_a_client_that_gives_up_has_contacted_somebody_all_the_same(server: MockServer) -> None:
    server.control(delay="1s", times=1)
    key = new_key()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(server.endpoint, json=SEED, headers=headers(key), timeout=IMPATIENT)
    eventually(lambda: server.summary()["accepted"] == 1)
    eventually(lambda: send(server, key=key).status_code == 200)


def test_misbehaviour_can_end_after_a_number_of_requests(server: MockServer) -> None:
    server.control(status=500, times=2)
    assert [send(server).status_code for _ in range(4)] == [500, 500, 200, 200]


def test_without_validation_anything_is_taken(server: MockServer) -> None:
    server.control(validation=False)
    assert httpx.post(server.endpoint, content=b"anything").status_code == 200
    assert server.requests()[0]["valid"] is None


# Control


def test_a_knob_that_makes_no_sense_is_refused_and_changes_nothing(server: MockServer) -> None:
    server.control(status=500)
    for knobs, named in [
        ({"status": 99}, "status.0"),
        ({"delay": "soon"}, "delay"),
        ({"delay": 5}, "delay"),
        ({"drop": "sometimes"}, "drop"),
        ({"retry_after": "1\r\nX-Evil: 1"}, "retry_after"),
        ({"store": "/tmp/x"}, "store"),
    ]:
        response = httpx.put(server.url + "/_control", json=knobs)
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
        [message] = response.json()["messages"]
        assert message.startswith(f"{named}: ")
        assert " should " not in message
    assert httpx.put(server.url + "/_control", content=b"{").status_code == 400
    assert httpx.put(server.url + "/_control", json=[]).status_code == 400
    assert send(server).status_code == 500
    with pytest.raises(ValidationError):
        server.control(stauts=500)


def test_knobs_that_are_not_named_go_back_to_how_the_stand_in_was_started() -> None:
    with MockServer(status="500", idempotency=False) as server:
        server.control(delay="1ms")
        assert send(server).status_code == 500
        server.control(status=[])
        shown = httpx.get(server.url + "/_control").json()
        assert (shown["status"], shown["delay"], shown["idempotency"]) == ([], "off", False)
        assert send(server).status_code == 200


@pytest.mark.parametrize(
    ("client", "seen"),
    [
        *((here, 200) for here in ("127.0.0.1", "::1", "::ffff:127.0.0.1")),
        *((elsewhere, 403) for elsewhere in ("203.0.113.9", "::ffff:203.0.113.9", "2001:db8::1", "localhost")),
    ],
)
def test_control_and_customers_data_are_for_this_machine_alone_and_the_health_for_all(client: str, seen: int) -> None:
    async def ask(method: str, path: str) -> int:
        # No machine but this one is at hand; the address is the one that a server would report.
        transport = httpx.ASGITransport(create_app(MockConfig(quiet=True)), client=(client, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://stand-in") as http:
            forged = {"X-Forwarded-For": "127.0.0.1", "Host": "127.0.0.1"}
            return (await http.request(method, path, headers=forged, json={})).status_code

    asked = [("GET", "/_control"), ("PUT", "/_control"), ("GET", "/_requests"), ("GET", "/_summary")]
    assert [asyncio.run(ask(*each)) for each in asked] == [seen] * 4
    assert asyncio.run(ask("DELETE", "/_requests")) == (204 if seen == 200 else 403)
    assert asyncio.run(ask("GET", "/_health")) == 200


def test_another_path_or_method_gets_an_error_in_the_same_form_and_is_not_counted(server: MockServer) -> None:
    for method, path, status in [
        ("POST", "/ai-caller-ms/recovery-payment", 404),
        ("POST", "/ai-caller-ms/recovery-payment/external/", 404),
        ("GET", "/ai-caller-ms/recovery-payment/external", 405),
    ]:
        response = httpx.request(method, server.url + path)
        assert response.status_code == status
        assert set(response.json()) == {"code", "messages"}
    assert server.summary()["requests"] == 0


def test_the_summary_tells_requests_contacts_and_repetitions_apart(server: MockServer) -> None:
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
