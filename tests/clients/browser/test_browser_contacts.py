"""Shoppers on pages with the browser snippet: one that closes the shop is contacted, and no other one is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from tests.clients.browser.tabs import STAGES, Tab, pages_of_shop
from tests.clients.chromium import Browser
from tests.support.running_shop import Shop, free_port, running_shop, until

KEY = "public-key-1"
EXIT_S = 3
CART = "{total_value: 149.99, currency: 'COP', items: [{name: 'Headphones', sku: 'WH-1', quantity: 1, price: 149.99}]}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("contacts")
    settings = {
        "WINBACK_COLLECT__PUBLIC_KEYS": KEY,
        "WINBACK_COLLECT__PORT": str(free_port()),
        "WINBACK_COLLECT__SPOOL": str(folder / "spool"),
        "WINBACK_COLLECT__RATE_PER_ADDRESS": "1000",
        "WINBACK_DETECTION__EXIT": f"{EXIT_S}s",
        "WINBACK_DETECTION__IDLE__CHECKOUT": "10m",
        "WINBACK_DETECTION__IDLE__PAYMENT": "10m",
    }
    with running_shop(folder, **settings) as found:
        yield found


class Shopper:
    """A shopper on a shop of their own: each has another port, and thereby another storage."""

    def __init__(self, browser: Browser, url: str, number: int) -> None:
        self._browser = browser
        self._url = url
        self.phone = f"+57300123456{number}"

    def checks_out(self) -> Tab:
        """Fill the cart, give name and number, and go to the checkout."""
        tab = self.opens("/cart")
        tab.evaluate(f"winback.cart('cart{self.phone}', {CART})")
        tab.goto(self._url + "/checkout")
        tab.evaluate(f"winback.identify({{full_name: 'Jane Doe', phone_number: '{self.phone}', country_code: 'CO'}})")
        return tab

    def opens(self, path: str) -> Tab:
        return Tab.opened(self._browser, self._url + path)


def closes(shopper: Shopper) -> None:
    shopper.checks_out().close()


def stays(shopper: Shopper) -> None:
    shopper.checks_out()


def goes_back_to_the_cart(shopper: Shopper) -> None:
    shopper.checks_out().back()


def closes_one_of_two_tabs(shopper: Shopper) -> None:
    tab = shopper.checks_out()
    shopper.opens("/help")
    tab.close()


def closes_and_returns(shopper: Shopper) -> None:
    closes(shopper)
    sleep(0.5)
    shopper.opens("/")


def pays(shopper: Shopper) -> None:
    tab = shopper.checks_out()
    tab.goto(tab.evaluate("origin") + "/thanks")
    tab.close()


def closes_at_the_payment(shopper: Shopper) -> None:
    tab = shopper.checks_out()
    tab.goto(tab.evaluate("origin") + "/checkout/pay")
    tab.close()


STORIES: tuple[Callable[[Shopper], None], ...] = (
    closes,
    stays,
    goes_back_to_the_cart,
    closes_one_of_two_tabs,
    closes_and_returns,
    pays,
    closes_at_the_payment,
)


def test_only_the_shopper_that_closed_the_shop_is_contacted(shop: Shop, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{shop.env['WINBACK_COLLECT__PORT']}"
    tag = f'<script src="{url}/winback.js" data-key="{KEY}" data-stages="{STAGES}" defer></script>'
    with ExitStack() as stack:
        browser = stack.enter_context(Browser(tmp_path))
        shoppers = [
            Shopper(browser, stack.enter_context(pages_of_shop(lambda _: tag)), number)
            for number in range(len(STORIES))
        ]
        for story, shopper in zip(STORIES, shoppers, strict=True):
            story(shopper)
        until(shop.api.requests, 30)
        sleep(2 * EXIT_S)
        requests: list[dict[str, Any]] = [request["body"] for request in shop.api.requests()]
    assert [request["customer"]["phone_number"] for request in requests] == [shoppers[0].phone]
    (request,) = requests
    assert request["session"]["session_id"] == f"cart{shoppers[0].phone}"
    assert request["session"]["platform"] == "web"
    assert request["session"]["flow_stage"] == "checkout"
    assert request["engagement"]["reason"] == "user_left_checkout"
    assert request["cart"]["total_value"] == 149.99
