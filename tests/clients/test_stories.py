"""Each SDK plays each shopper against the running system: the API gets exactly the expected request, or none."""

from contextlib import ExitStack
from typing import Any

import pytest

from tests.clients.conftest import SERVER_KEY
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
        running = [Program(CLIENTS[name], folder, plan(crowd), url, SERVER_KEY) for name, crowd in CROWDS.items()]
        for program in running:
            stack.callback(program.end)
        results = [program.result() for program in running]
    assert [result["errors"] for result in results] == [[] for _ in results]
    last = Program(CLIENTS["segment-python"], folder, plan([LAST]), url, SERVER_KEY)
    assert last.result()["errors"] == []
    until(lambda: requests_for(shop, LAST))
    return shop


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
