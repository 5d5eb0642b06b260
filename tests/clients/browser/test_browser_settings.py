"""The settings of the browser snippet in a headless Chromium, and pages on which it can't do everything."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.clients.browser.snippet_shop import CLOCK, Shop
from tests.clients.browser.tabs import STAGES
from tests.support.collecting import PUBLIC
from tests.support.pages import ROOT, marked
from worker.collector.snippet import Snippet

GUIDE = ROOT / "docs" / "guides" / "browser.md"


def settings(head: dict[str, str], script: str) -> None:
    """Replace the attributes of the tag by a script before it."""
    tag = head[""][head[""].rindex("<script") :]
    head[""] = f"{CLOCK}<script>{script}</script>{tag}"


def test_settings_in_a_script_override_attributes(shop: Shop, head: dict[str, str]) -> None:
    settings(head, "window.winback = {stages: {'/': 'checkout'}, cartId: 'cart-9', customer: {language: 'es'}}")
    shop.open("/")
    (event,) = shop.events()
    assert (event["flow_stage"], event["session_id"], event["customer"]) == ("checkout", "cart-9", {"language": "es"})


def test_cookie_of_the_shop_names_the_session(shop: Shop, head: dict[str, str]) -> None:
    settings(head, "document.cookie = 'basket=cart%2D3'; window.winback = {cookie: 'basket'}")
    tab = shop.open("/cart")
    assert shop.events()[0]["session_id"] == "cart-3"
    settings(head, "document.cookie = 'basket=; max-age=0'; window.winback = {cookie: 'basket'}")
    tab.click("#to-checkout")
    assert shop.events()[0]["session_id"].startswith("wb-")


def test_snippet_that_waits_sends_nothing_before_start(shop: Shop, head: dict[str, str]) -> None:
    head[""] = head[""].replace(" defer", " data-wait defer")
    tab = shop.open("/checkout")
    tab.move(10)
    assert shop.kinds(0) == []
    assert tab.evaluate("localStorage.length") == 0
    tab.evaluate("winback.start()")
    assert shop.kinds() == ["checkout"]


BLOCKED = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('', 'SecurityError'); }})"


@pytest.mark.parametrize(("more", "kinds"), [("", []), ("; window.winback = {cartId: 'cart-4'}", ["checkout"])])
def test_without_storage_only_the_shop_names_sessions(
    shop: Shop, head: dict[str, str], more: str, kinds: Sequence[str]
) -> None:
    settings(head, BLOCKED + more)
    tab = shop.open("/checkout")
    assert shop.kinds(0) == kinds
    tab.close()
    assert shop.kinds(0) == []


def test_blocked_beacon_is_sent_by_fetch(shop: Shop, head: dict[str, str]) -> None:
    settings(head, "navigator.sendBeacon = () => false")
    tab = shop.open("/checkout")
    assert shop.kinds() == ["checkout"]
    tab.close()
    assert shop.kinds() == ["exit"]


def test_snippet_twice_on_a_page_works_once(shop: Shop, head: dict[str, str]) -> None:
    head[""] += head[""].removeprefix(CLOCK)
    shop.open("/cart")
    assert shop.kinds() == ["cart_review"]


def test_wrong_key_breaks_no_page(shop: Shop, head: dict[str, str]) -> None:
    head[""] = head[""].replace(PUBLIC, "unknown-key")
    tab = shop.open("/cart")
    assert shop.kinds(0) == []
    assert tab.evaluate("document.title") == "/cart"


def test_copy_on_the_shop_works_under_a_strict_policy(shop: Shop, head: dict[str, str], running: Any) -> None:  # noqa: ANN401 - as above
    url = f"http://127.0.0.1:{running[2].port}"
    policy = f"default-src 'none'; script-src 'nonce-x'; connect-src {url}"
    code = Snippet().plain.decode()
    head[""] = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><script nonce="x">'
        f"window.winback = {{key: '{PUBLIC}', url: '{url}/events', stages: '{STAGES}'}};{code}</script>"
    )
    shop.open("/cart")
    assert shop.kinds() == ["cart_review"]


def test_steps_of_the_guide_work(shop: Shop, head: dict[str, str], running: Any) -> None:  # noqa: ANN401 - as above
    tag, calls = marked(GUIDE, "snippet")
    url = f"http://127.0.0.1:{running[2].port}"
    head[""] = tag.replace("https://collect.example", url).replace("PUBLIC_KEY", PUBLIC)
    tab = shop.open("/checkout/payment")
    tab.evaluate(calls)
    first, cart, customer = shop.events(3)
    assert first["flow_stage"] == "payment"
    assert (cart["session_id"], cart["cart"]["currency"]) == ("cart-1", "COP")
    assert customer["customer"]["phone_number"] == "+573001234567"
