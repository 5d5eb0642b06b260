"""Kept connections between requests: shared by threads, and only to the server itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from tasks.delivery.yuno import Accepted, Reply, TryAgain, Undecided
from tests.support.faulty_server import OK, FaultyServer, http, reply, say
from tests.support.waiting import eventually
from tests.support.wire import Wire
from tests.support.yuno_requests import LONG_S, client_of, limits, post

SHORT_S = 0.3


@contextmanager
def ends_within(least_s: float, most_s: float) -> Iterator[None]:
    begins = time.monotonic()
    yield
    assert least_s <= time.monotonic() - begins < most_s


def test_one_connection_serves_many_requests() -> None:
    with FaultyServer(reply(http(200, b"{}"))) as server, client_of(server.url) as client:
        assert [post(client) for _ in range(5)] == [Accepted(200)] * 5
        assert len(server.wires) == 1


def test_kept_connection_closed_by_the_server_is_not_reused() -> None:
    with FaultyServer(reply(times=1)) as server, client_of(server.url) as client:
        for number in range(3):
            assert post(client) == Accepted(200)
            wire = server.wires[number]
            eventually(lambda: wire.ended)  # noqa: B023 - asked at once
        assert len(server.wires) == 3


def test_unrequested_reply_is_not_taken_for_the_next_request() -> None:
    with FaultyServer(say(OK + http(200)), reply(http(202))) as server, client_of(server.url) as client:
        assert post(client) == Accepted(200)
        assert post(client) == Undecided("remote_protocol_error")
        assert [post(client), post(client)] == [Accepted(202)] * 2


def test_text_on_an_idle_connection_is_no_reply() -> None:
    gone = Event()

    def time_out(wire: Wire) -> None:
        wire.request()
        wire.send(OK)
        gone.wait(LONG_S)
        wire.send(http(408))

    with FaultyServer(time_out, reply()) as server, client_of(server.url) as client:
        assert post(client) == Accepted(200)
        gone.set()
        eventually(lambda: server.wires[0].ended)
        assert post(client) == Accepted(200)


def test_attempts_in_several_threads_keep_their_own_deadlines() -> None:
    replies: dict[str, Reply] = {}
    with FaultyServer(say(b""), reply()) as server, client_of(server.url) as client:
        hanging = Thread(target=lambda: replies.update(hanging=post(client, limits(SHORT_S))))
        hanging.start()
        eventually(lambda: server.received)
        replies["other"] = post(client)
        hanging.join(LONG_S)
    assert replies == {"hanging": Undecided("read_timeout"), "other": Accepted(200)}


def test_no_connection_free_is_tried_again() -> None:
    with FaultyServer(say(b"")) as server, client_of(server.url, connections=1) as client:
        hanging = Thread(target=post, args=(client, limits(SHORT_S * 3)))
        hanging.start()
        eventually(lambda: server.received)
        with ends_within(0, SHORT_S + 1):
            assert post(client, limits(SHORT_S)) == TryAgain("pool_timeout")
        hanging.join(LONG_S)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with FaultyServer(reply()) as proxy, FaultyServer(reply()) as server:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with client_of(server.url) as client:
            assert post(client) == Accepted(200)
        assert proxy.wires == []
