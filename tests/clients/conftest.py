"""A running Winback that clients of the shop reach over HTTP, and the shoppers that they play."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.crowd import Played, play
from tests.clients.programs import PUBLIC_KEY, SERVER_KEY
from tests.clients.shoppers import THRESHOLD_S
from tests.support.running_shop import Shop, free_port, running_shop


def settings_of(folder: Path) -> dict[str, str]:
    """Return the settings of a collector and of short thresholds."""
    return {
        "WINBACK_COLLECT__SERVER_KEYS": SERVER_KEY,
        "WINBACK_COLLECT__PUBLIC_KEYS": PUBLIC_KEY,
        "WINBACK_COLLECT__PORT": str(free_port()),
        "WINBACK_COLLECT__SPOOL": str(folder / "spool"),
        # All shoppers have one address.
        "WINBACK_COLLECT__RATE_PER_ADDRESS": "1000",
        "WINBACK_DETECTION__IDLE__CHECKOUT": f"{THRESHOLD_S}s",
        "WINBACK_DETECTION__IDLE__PAYMENT": f"{THRESHOLD_S}s",
    }


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("clients")
    with running_shop(folder, **settings_of(folder)) as found:
        yield found


@pytest.fixture(scope="session")
def played(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(shop, tmp_path_factory.mktemp("stories"))
