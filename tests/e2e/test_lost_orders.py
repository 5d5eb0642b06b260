"""With real processes: a shop loses its order events, and with `hold` no buyer is contacted."""

import json
from collections.abc import Iterator
from time import sleep
from typing import Any

import pytest

from tests.e2e.test_watch import told
from tests.support.running_shop import CART, CHECKOUT, Shop, command, jane, running_shop, until
from worker.monitoring.alarms import ALARM, ALARM_RESOLVED

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

SESSIONS, LOST = 200, 60
APART_S = 0.03


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    settings = {"WINBACK_DETECTION__ORDERS_STOPPED": "hold", "WINBACK_DELIVERY__RATE": "1000/s"}
    often = {"WINBACK_ALARMS__CHECK_INTERVAL": "250ms", "WINBACK_INGEST__READ_TIMEOUT": "100ms"}
    with running_shop(tmp_path_factory.mktemp("shop"), **settings, **often) as found:
        yield found


def visit(shop: Shop, name: str, number: int) -> None:
    customer = jane(phone_number=f"+5730{number:08d}", full_name=f"Shopper {number}", email=f"s{number}@shop.example")
    shop.send(f"sess_{name}_{number}", **CHECKOUT, customer=customer, cart=CART)


def status(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command(shop.env, "status", "--json", code=None))
    return found


def contacted(shop: Shop, name: str) -> int:
    return sum(r["body"]["session"]["session_id"].startswith(f"sess_{name}_") for r in shop.api.requests())


def test_no_buyer_is_contacted_while_order_events_are_lost(shop: Shop) -> None:
    for number in range(SESSIONS):
        visit(shop, "before", number)
        if number % 5 < 3:
            shop.send(f"sess_before_{number}", "order_completed", order_value=149.99, currency="COP")
        sleep(APART_S / 3)
    until(lambda: contacted(shop, "before") >= 2 * SESSIONS // 5)

    for number in range(LOST):
        visit(shop, "lost", SESSIONS + number)
        sleep(APART_S)
    (alarm,) = until(lambda: told(shop, ALARM, "orders"))
    assert alarm["text"].endswith("sending is held until one does")
    until(lambda: shop.outcomes().get("silent.checkout.web.idle", 0) >= 2 * SESSIONS // 5 + LOST)
    assert contacted(shop, "lost") == 0
    found = status(shop)
    assert {"orders", "sending"} <= {problem["name"] for problem in found["problems"] if problem["mark"] == "fail"}
    assert (found["sending"]["sending_state"], found["orders"]["level"]) == ("orders_stopped", "stopped")

    # The hook works again and delivers the missed orders; some shoppers had really left.
    for number in range(SESSIONS, SESSIONS + LOST // 2):
        shop.send(f"sess_lost_{number}", "order_completed", order_value=149.99, currency="COP")
    until(lambda: told(shop, ALARM_RESOLVED, "orders"))
    until(lambda: shop.outcomes().get("suppressed.orders_missing", 0) >= LOST // 2)
    assert contacted(shop, "lost") == 0
    visit(shop, "after", SESSIONS + LOST)
    until(lambda: contacted(shop, "after") == 1)
    assert contacted(shop, "before") == 2 * SESSIONS // 5
