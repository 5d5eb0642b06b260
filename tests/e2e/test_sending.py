"""With real processes: refused keys that are fixed, and an operator who pauses while outreaches are sent."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from time import monotonic, sleep
from typing import Any

import pytest

from tests.support.running_shop import CART, CHECKOUT, Shop, command, jane, running_shop, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]

CONCURRENCY = 8
PROBES_APART_S = 1.0
RATE = BURST = 5


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    settings = {"WINBACK_DELIVERY__BREAKER_PAUSE": "1s", "WINBACK_DELIVERY__RATE": f"{RATE}/s"}
    with running_shop(tmp_path_factory.mktemp("shop"), **settings) as found:
        yield found


def winback(shop: Shop, *arguments: str) -> str:
    """Run the command next to the shop's processes, as an operator does."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")}
    # Without the broker's URL and the secrets: a command doesn't need them.
    env |= {"WINBACK_REDIS_URL": shop.env["WINBACK_REDIS_URL"], "WINBACK_CONFIG": os.devnull}
    return command(env, *arguments)


def status(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(winback(shop, "status", "--json"))
    return found


def abandon(shop: Shop, name: str, number: int) -> None:
    for index in range(number):
        customer = jane(phone_number=f"+57300{name}{index:04d}")
        shop.send(f"sess_{name}_{index}", **CHECKOUT, customer=customer, cart=CART)


def requests_of(shop: Shop, name: str) -> list[dict[str, Any]]:
    return [r for r in shop.api.requests() if r["body"]["session"]["session_id"].startswith(f"sess_{name}_")]


def seconds(requests: list[dict[str, Any]]) -> list[float]:
    return sorted(datetime.fromisoformat(request["received_at"]).timestamp() for request in requests)


def accepted(requests: list[dict[str, Any]]) -> list[str]:
    return [r["body"]["session"]["session_id"] for r in requests if r["status"] == 200]


def lines_of(shop: Shop, event: str) -> int:
    """Return how often an event was logged."""
    return shop.log.read_text().count(f'"event": "{event}"')


def test_refused_keys_stop_sending_and_valid_keys_resume_it(shop: Shop) -> None:
    shop.api.control(status=401)
    abandon(shop, "111", 20)
    until(lambda: status(shop)["sending"]["sending_state"] == "refused")
    until(lambda: len(shop.api.requests()) > CONCURRENCY or lines_of(shop, "sending_stopped"))
    began = monotonic()
    while monotonic() - began < 4.5 * PROBES_APART_S:
        sleep(0.1)  # the pace of the probes is under test
    moments = seconds(requests_of(shop, "111"))
    at_once = [moment for moment in moments if moment - moments[0] < PROBES_APART_S / 2]
    probes = moments[len(at_once) :]
    assert len(at_once) <= CONCURRENCY
    assert 3 <= len(probes) <= 8
    assert min(later - earlier for earlier, later in pairwise([moments[0], *probes])) > 0.9 * PROBES_APART_S
    assert accepted(requests_of(shop, "111")) == []

    found = status(shop)
    assert [problem["name"] for problem in found["problems"]] == ["sending"]
    assert found["sending"]["why"] == "http_401.INVALID_CREDENTIALS"
    assert found["outbox"]["dead"] == found["outbox"]["unknown"] == 0

    shop.api.control()
    until(lambda: shop.outcomes().get("sent") == 20, 30)
    assert sorted(accepted(requests_of(shop, "111"))) == sorted(f"sess_111_{index}" for index in range(20))
    assert status(shop)["sending"]["sending_state"] == "on"
    assert [lines_of(shop, event) for event in ("sending_stopped", "sending_resumed")] == [1, 1]


def test_pause_while_sending_loses_and_repeats_nothing(shop: Shop) -> None:
    shop.api.control(delay="200ms")
    before = shop.outcomes().get("sent", 0)
    abandon(shop, "222", 60)
    until(lambda: len(requests_of(shop, "222")) >= 5)
    assert "paused until winback resume" in winback(shop, "pause", "--reason", "a rehearsal")
    until(lambda: status(shop)["outbox"]["leased"] == 0)
    paused = len(requests_of(shop, "222"))
    assert paused < 60
    began = monotonic()
    while monotonic() - began < 2:
        assert len(requests_of(shop, "222")) == paused
        sleep(0.2)  # the test is that nothing happens
    found = status(shop)
    assert (found["sending"]["sending_state"], found["sending"]["reason"]) == ("paused", "a rehearsal")
    assert found["outbox"]["due"] == 60 - paused

    assert winback(shop, "resume").strip() == "sending resumes"
    until(lambda: shop.outcomes().get("sent", 0) == before + 60, 30)
    found_all = requests_of(shop, "222")
    assert sorted(accepted(found_all)) == sorted(f"sess_222_{index}" for index in range(60))
    assert len(found_all) == 60
    moments = seconds(found_all)
    most = max(sum(0 <= other - moment < 1 for other in moments) for moment in moments)
    assert most <= RATE + BURST
    assert lines_of(shop, "sending_paused") == 1
