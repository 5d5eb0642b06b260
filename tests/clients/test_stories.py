"""Each SDK plays each shopper against the running system: the API gets exactly the expected request, or none."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.clients.chromium import Browser, Page
from tests.clients.pages import begin, has_done, served
from tests.clients.programs import CLIENTS, Program
from tests.clients.shoppers import STORIES, Shopper, plan, shoppers
from tests.support.running_shop import Shop, until

pytestmark = pytest.mark.e2e

CROWDS = {name: shoppers(name, number) for number, name in enumerate(CLIENTS)}
LAST = Shopper("last", "abandons_checkout", 9999)


@pytest.fixture(scope="module")
def played(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """All clients have played all of their shoppers, and every silence has been judged."""
    folder = tmp_path_factory.mktemp("stories")
    url = f"http://127.0.0.1:{shop.env['WINBACK_COLLECT__PORT']}"
    with ExitStack() as stack:
        visits = in_pages(stack, folder, url)
        running = [
            Program(CLIENTS[name], folder, plan(crowd), url)
            for name, crowd in CROWDS.items()
            if not CLIENTS[name].is_browser
        ]
        for program in running:
            stack.callback(program.end)
        for page, shopper in visits:
            begin(page, shopper.steps)
        for program in running:
            result = program.result()
            assert result["errors"] == [], result
        until(lambda: all(has_done(page, shopper.steps) for page, shopper in visits))
        last = Program(CLIENTS["segment-python"], folder, plan([LAST]), url)
        assert last.result()["errors"] == []
        # The browser stays open until then, because its SDKs send with a delay.
        until(lambda: requests_for(shop, LAST))
    return shop


def in_pages(stack: ExitStack, folder: Path, url: str) -> list[tuple[Page, Shopper]]:
    """Open a page for each shopper of a browser's SDK."""
    clients = [client for client in CLIENTS.values() if client.is_browser]
    address = stack.enter_context(served({f"/{client.name}": client.code(url) for client in clients}))
    browser = stack.enter_context(Browser(folder))
    return [
        (browser.page(f"{address}/{client.name}"), shopper) for client in clients for shopper in CROWDS[client.name]
    ]


def requests_for(shop: Shop, shopper: Shopper) -> list[dict[str, Any]]:
    return [
        request["body"]
        for request in shop.api.requests()
        if shopper.phone in str(request["body"]) or shopper.cart_id == request["body"]["session"]["session_id"]
    ]


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("client", CLIENTS)
def test_shopper_is_contacted_as_expected(played: Shop, client: str, story: str) -> None:
    (shopper,) = [one for one in CROWDS[client] if one.story == story]
    bodies = requests_for(played, shopper)
    assert len(bodies) == (1 if shopper.stage else 0), bodies
    for body in bodies:
        assert body["session"].pop("session_id")
        assert body["session"].pop("abandonment_timestamp")
        assert body == shopper.request
