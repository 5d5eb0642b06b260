"""The mock API's misbehaviour on request."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pydantic import ValidationError

from tests.support.mock_requests import IMPATIENT, SEED, eventually, headers, new_key, numbered, send
from tests.support.mock_servers import running, server
from winback.simulation.mock_api.process import MockServer

__all__ = ["running", "server"]  # fixtures


@pytest.mark.parametrize(("drop", "taken"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_breaks_off_without_an_answer(server: MockServer, drop: str, taken: int) -> None:
    server.control(drop=drop)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        send(server)
    [request] = server.requests()
    assert (request["status"], server.summary()["accepted"]) == (None, taken)
    assert request["body"] == SEED


def test_dropped_connection_leaves_others_open(server: MockServer) -> None:
    server.control(drop="before", times=1)
    with httpx.Client(base_url=server.url) as patient:
        assert patient.get("/_health").status_code == 200
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            send(server)
        assert patient.get("/_health").status_code == 200
    assert send(server).status_code == 200


def test_request_accepted_before_a_drop_is_answered_on_repeat(server: MockServer) -> None:
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
def test_other_success_status_accepts_only_valid_requests(server: MockServer, status: int) -> None:
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


def test_delayed_replies_do_not_wait_for_each_other(server: MockServer) -> None:
    server.control(delay="300ms")
    began = time.monotonic()
    with ThreadPoolExecutor(40) as threads:
        statuses = [reply.status_code for reply in threads.map(lambda n: send(server, numbered(n)), range(40))]
    took = time.monotonic() - began
    assert statuses == [200] * 40
    assert 0.3 <= took < 40 * 0.3
    assert server.summary()["people_contacted"] == 40


def test_client_that_gives_up_has_still_made_a_contact(server: MockServer) -> None:
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


def test_invalid_option_is_refused_and_changes_nothing(server: MockServer) -> None:
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


def test_unnamed_options_return_to_the_start_values() -> None:
    with MockServer(status="500", idempotency=False) as server:
        server.control(delay="1ms")
        assert send(server).status_code == 500
        server.control(status=[])
        shown = httpx.get(server.url + "/_control").json()
        assert (shown["status"], shown["delay"], shown["idempotency"]) == ([], "off", False)
        assert send(server).status_code == 200
