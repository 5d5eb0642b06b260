"""The collector is killed while clients send, and later Redis stops answering: the contacts are the same."""

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.clients.chromium import Browser, Page
from tests.clients.conftest import settings_of
from tests.clients.crowd import LAST, Played, send_last
from tests.clients.gateway import Place, gateways
from tests.clients.pages import begin, has_done, served
from tests.clients.programs import CLIENTS, Program, Run
from tests.clients.shoppers import Shopper
from tests.support.running_shop import Shop, running_shop, until
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.e2e

STORIES = ("abandons_checkout", "buys")
CROWDS: dict[Place, list[Shopper]] = {
    ("interrupted", client): [Shopper(client, story, 2 * number + place) for place, story in enumerate(STORIES)]
    for number, client in enumerate(CLIENTS)
}
OK = 200
BEFORE_CHECKOUT = 4
"""Calls of a shopper until the cart is viewed."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("interrupted")
    with (
        EmbeddedValkey(folder / "valkey", port=0) as valkey,
        running_shop(folder, valkey.url, **settings_of(folder)) as shop,
    ):
        assert valkey.pid is not None
        yield _play(shop, folder, valkey.pid)


def _play(shop: Shop, folder: Path, valkey: int) -> Played:
    port = int(shop.env["WINBACK_COLLECT__PORT"])
    with ExitStack() as stack:
        between = stack.enter_context(gateways(port, dict.fromkeys(CROWDS, ("passed",))))
        played = Played(shop, CROWDS, between)
        codes = {client: CLIENTS[client].code(found.url) for (_, client), found in between.items()}
        visits = _pages(stack, codes, folder)
        programs = [
            Program(CLIENTS[client], folder, [Run("interrupted", codes[client], crowd)])
            for (_, client), crowd in CROWDS.items()
            if not CLIENTS[client].is_browser
        ]
        for program in programs:
            stack.callback(program.end)
        for page, shopper in visits:
            begin(page, shopper)

        until(lambda: all(found.requests for found in between.values()), 60)
        os.kill(shop.pid_of("collect"), signal.SIGKILL)
        until(lambda: _is_up(port), 60)

        _await_calls(played, dict.fromkeys(CROWDS, BEFORE_CHECKOUT * len(STORIES)))
        os.kill(valkey, signal.SIGSTOP)
        try:
            # A fast machine may have taken all calls before.
            assert _accepts_page(port, shop.env["WINBACK_COLLECT__SERVER_KEYS"]) == OK
            _await_calls(played, {place: sum(len(one.steps) for one in crowd) for place, crowd in CROWDS.items()})
        finally:
            os.kill(valkey, signal.SIGCONT)

        for program in programs:
            assert program.errors() == {"interrupted": []}
        until(lambda: all(has_done(page, shopper) for page, shopper in visits))
        send_last(played, folder)
    return played


def _pages(stack: ExitStack, codes: dict[str, str], folder: Path) -> Sequence[tuple[Page, Shopper]]:
    names = [name for name, client in CLIENTS.items() if client.is_browser]
    port = stack.enter_context(served({f"/{name}": codes[name] for name in names}))
    browser = stack.enter_context(Browser(folder))
    return [
        (browser.page(f"http://shopper-{shopper.number}.localhost:{port}/{name}"), shopper)
        for name in names
        for shopper in CROWDS["interrupted", name]
    ]


def _await_calls(played: Played, least: Mapping[Place, int]) -> None:
    """Wait until the collector has accepted a number of calls of each client."""
    deadline = monotonic() + 60
    while missing := {
        place: found.accepted_calls for place, found in played.gateways.items() if found.accepted_calls < least[place]
    }:
        assert monotonic() < deadline, missing
        sleep(0.05)


def _accepts_page(port: int, keys: str) -> int:
    """Send a page view, and return the status of the answer."""
    key: str = keys.partition(",")[0]
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    page = {"type": "page", "anonymousId": "visitor-1", "messageId": "while-redis-is-down", "writeKey": key}
    connection.request("POST", "/v1/page", json.dumps(page))
    status = connection.getresponse().status
    connection.close()
    return status


def _is_up(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("client", CLIENTS)
def test_interruption_changes_no_contact(played: Played, client: str, story: str) -> None:
    shopper = played.shopper("interrupted", client, story)
    bodies = played.requests_for(shopper)
    assert len(bodies) == (1 if shopper.stage else 0), played.explained(shopper)


def test_events_were_spooled_while_redis_was_down(played: Played) -> None:
    assert "spool_delivered" in played.shop.log.read_text()
    assert played.requests_for(LAST)
