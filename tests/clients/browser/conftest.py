"""A browser, a collector, and a shop whose pages have another origin."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.clients.browser.snippet_shop import CLOCK, Shop
from tests.clients.browser.tabs import STAGES, pages_of_shop
from tests.clients.chromium import Browser
from tests.support.collecting import PUBLIC, CollectorProcess, emptied
from worker.supervision.embedded_valkey import EmbeddedValkey


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, EmbeddedValkey, CollectorProcess]]:
    folder = tmp_path_factory.mktemp("snippet")
    with ExitStack() as stack:
        valkey = stack.enter_context(EmbeddedValkey(folder / "valkey", port=0))
        process = CollectorProcess(valkey.url, folder, WINBACK_COLLECT__RATE_PER_ADDRESS="1000")
        stack.enter_context(process)
        yield stack.enter_context(Browser(folder)), valkey, process


@pytest.fixture
def head(running: tuple[Browser, EmbeddedValkey, CollectorProcess]) -> dict[str, str]:
    """What is in the head of each page: a test can change it."""
    url = f"http://127.0.0.1:{running[2].port}"
    return {"": f'{CLOCK}<script src="{url}/winback.js" data-key="{PUBLIC}" data-stages="{STAGES}" defer></script>'}


@pytest.fixture
def shop(running: tuple[Browser, EmbeddedValkey, CollectorProcess], head: dict[str, str]) -> Iterator[Shop]:
    browser, valkey, _ = running
    # Each shop has its own port, and thereby its own storage.
    with emptied(valkey.url) as redis, pages_of_shop(lambda path: head.get(path, head[""])) as url:
        yield Shop(browser, url, redis)
