"""Winback on several hosts against one cluster: imported by the module that has one, where one host runs already."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.servers.failover import emit, ended, patiently, requests_of
from tests.servers.hosts import AN_HOUR_AHEAD, Host, host
from tests.support.running_shop import LEASE, Shop, until

ROLES = ("recover", "ingest", "sweep", "beat")
AT_ONCE = 40


@pytest.fixture
def hosts(shop: Shop, tmp_path: Path) -> Iterator[list[Host]]:
    """Two more hosts, each with a beat; the worker and the beat of one have wrong clocks."""
    env = {name: value for name, value in shop.env.items() if name.startswith("WINBACK_")}
    env |= {"WINBACK_WORKER__CONCURRENCY": "4"}
    wrong = {"recover": AN_HOUR_AHEAD, "beat": AN_HOUR_AHEAD}
    with host(tmp_path, "second", env) as second, host(tmp_path, "third", env, wrong) as third:
        for program in (*second.roles.values(), *third.roles.values()):
            until(patiently(partial(_is_alive, shop, program.pid)), 40)
        yield [second, third]


def _is_alive(shop: Shop, pid: int) -> bool:
    names = [name for role in ROLES for name in shop.redis.hkeys(f"winback:heartbeat:{role}")]
    return any(name.endswith(f":{pid}".encode()) for name in names)


def test_rolling_restart_with_wrong_clocks_loses_nothing(
    shop: Shop, hosts: list[Host], record_property: Callable[[str, object], None]
) -> None:
    before, sent = ended(shop), shop.outcomes().get("sent", 0)
    shop.api.control(delay="200ms")
    number = 0
    for role in ROLES:
        for one in hosts:
            emit(shop, "222", number, AT_ONCE)
            number += AT_ONCE
            one.restart(role)
            until(partial(_is_alive, shop, one.roles[role].pid), 40)
    until(lambda: ended(shop) == before + number, 60 + 2 * LEASE.total_seconds())
    requests = [r["body"]["session"]["session_id"] for r in requests_of(shop, "222")]
    figures = {"sessions": number, "requests": len(requests), "duplicates": len(requests) - len(set(requests))}
    for name, value in figures.items():
        record_property(name, value)
    print(figures)  # noqa: T201 - shown with -rP
    assert figures == {"sessions": number, "requests": number, "duplicates": 0}
    assert shop.outcomes().get("sent", 0) - sent == number
    # Both further workers did their share, including the one with the wrong clock.
    for one in hosts:
        assert '"event": "attempt"' in one.roles["recover"].log.read_text()
