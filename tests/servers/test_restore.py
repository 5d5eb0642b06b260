"""A backup is restored: people who were contacted after it was taken are still waiting in it."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from state.connection import connect
from tests.e2e.test_sending import winback
from tests.servers.failover import emit, ended, requests_of
from tests.servers.hosts import Host, host
from tests.servers.redis_servers import RedisServer
from tests.support.running_shop import KEYS, THRESHOLD, Shop, environment, in_redis, until
from winback.simulation.mock_api.process import MockServer

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("restore")]

NUMBER = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as started:
        yield started


@pytest.fixture
def shop(server: RedisServer, tmp_path: Path) -> Iterator[Shop]:
    """A shop with processes that the test starts and stops."""
    with MockServer(port=0, **KEYS) as api, connect(server.url) as client:
        env = environment(tmp_path, server.url, api, WINBACK_WORKER__CONCURRENCY="4")
        state: Any = client
        yield Shop(state, lambda: in_redis(server.url.replace("/0", "/1")), api, "", tmp_path / "log", 0, env)


def running(stack: ExitStack, shop: Shop, name: str) -> Host:
    env = {key: value for key, value in shop.env.items() if key.startswith("WINBACK_")}
    return stack.enter_context(host(shop.log.parent, name, env))


def silent(shop: Shop) -> bool:
    """Return whether every session is silent and every event applied."""
    waits = any(shop.redis.zcard(key) for key in shop.redis.scan_iter("winback:{*}:lane:*"))
    return not waits and not shop.redis.xlen("winback:events")


def test_restore_repeats_no_contact_made_after_the_backup(server: RedisServer, shop: Shop, tmp_path: Path) -> None:
    with ExitStack() as before:
        running(before, shop, "before")
        until(lambda: shop.redis.exists("winback:heartbeat:beat", "winback:heartbeat:ingest") == 2, 40)
        # In the backup: waiting outreaches, sessions that weren't silent for long enough, unread events.
        winback(shop, "pause")
        emit(shop, "111", 0, NUMBER)
        until(lambda: silent(shop))
        until(lambda: open_outreaches(shop) == NUMBER)
    emit(shop, "222", 0, NUMBER)
    backup = back_up(server, shop, tmp_path)

    with ExitStack() as after:
        running(after, shop, "after")
        winback(shop, "resume")
        until(lambda: len(requests_of(shop, "111") + requests_of(shop, "222")) == 2 * NUMBER, 60)
        until(lambda: ended(shop) == 2 * NUMBER)

    restore(server, backup)
    assert ended(shop) == 0
    assert open_outreaches(shop) == NUMBER

    # Pause all sending first, then let the unread events be applied and the sessions fall silent.
    winback(shop, "pause", "--reason", "restored from a backup")
    with ExitStack() as restored:
        running(restored, shop, "restored")
        until(lambda: open_outreaches(shop) == 2 * NUMBER, 30 + 2 * THRESHOLD.total_seconds())
        until(lambda: silent(shop))
        winback(shop, "outreach", "expire", "--waiting", "--yes")
        assert open_outreaches(shop) == 0
        assert winback(shop, "resume").strip() == "sending resumes"
        # Shoppers who fall silent from now on are contacted as usual.
        emit(shop, "333", 0, NUMBER)
        until(lambda: len(requests_of(shop, "333")) == NUMBER, 60)
        until(lambda: ended(shop) == 3 * NUMBER)
    assert shop.outcomes().get("expired.by_operator") == 2 * NUMBER
    for name in ("111", "222", "333"):
        assert contacted(shop, name) == sorted(f"sess_{name}_{index}" for index in range(NUMBER))


def contacted(shop: Shop, name: str) -> list[str]:
    return sorted(request["body"]["session"]["session_id"] for request in requests_of(shop, name))


def back_up(server: RedisServer, shop: Shop, directory: Path) -> Path:
    shop.redis.bgrewriteaof()
    until(lambda: not shop.redis.info("persistence")["aof_rewrite_in_progress"])
    return Path(shutil.copytree(server.directory / "appendonlydir", directory / "backup"))


def restore(server: RedisServer, backup: Path) -> None:
    server.kill()
    shutil.rmtree(server.directory / "appendonlydir")
    shutil.copytree(backup, server.directory / "appendonlydir")
    server.start()


def open_outreaches(shop: Shop) -> int:
    names = (name for kind in ("due", "leased") for name in shop.redis.scan_iter(f"winback:{{*}}:{kind}"))
    return sum(shop.redis.zcard(name) for name in names)
