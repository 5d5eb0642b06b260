"""The end-to-end suite of tests/e2e/test_whole_shop.py on other servers: a module names them and imports the tests."""

from collections.abc import Iterator

import pytest

from tests.servers.places import Place
from tests.support.running_shop import Shop, running_shop

MIDDLE = "test_shopper_with_two_carts_is_contacted_once"


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with request.module.PLACE(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture(scope="module")
def shop(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    directory = tmp_path_factory.mktemp("shop")
    settings = {"WINBACK_BROKER_URL": place.broker_url, "WINBACK_INGEST__STREAMS": str(place.streams)}
    with running_shop(directory, place.redis_url, place.broker, (), **settings) as found:
        yield found


@pytest.fixture(autouse=True)
def _failover_in_the_middle(request: pytest.FixtureRequest) -> None:
    if request.node.name == MIDDLE:
        request.getfixturevalue("place").fail_over()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the suite first, because it expects zero counts. Imported tests compare with the counts before."""
    items.sort(key=lambda item: (item.path, getattr(item, "function", item).__module__ != "tests.e2e.test_whole_shop"))
