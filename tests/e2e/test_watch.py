"""With real processes, problems are logged when they begin and when they are over, and the processes continue."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from state.keys import Keys
from tests.support.running_shop import CART, CHECKOUT, Shop, jane, running_shop, until
from worker.monitoring.alarms import ALARM, ALARM_RESOLVED

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

STREAM = 500


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    often = {
        "WINBACK_ALARMS__CHECK_INTERVAL": "250ms",
        "WINBACK_ALARMS__BACKLOG_LIMIT": str(STREAM),
        "WINBACK_INGEST__READ_TIMEOUT": "100ms",
    }
    small = {"WINBACK_WORKER__CONCURRENCY": "2", "WINBACK_WORKER__POOL": "threads"}
    with running_shop(tmp_path_factory.mktemp("watched"), **often, **small) as found:
        # The monitor has checked at least once, without findings.
        until(lambda: found.redis.exists("winback:monitor_lock"))
        until(lambda: not found.redis.hlen("winback:alarms"))
        yield found


def told(shop: Shop, event: str, about: str, after: int = 0) -> list[dict[str, Any]]:
    """Return the log lines after a position with this event and subject."""
    with shop.log.open(encoding="utf-8") as log:
        log.seek(after)
        texts = [line.partition(" | ")[2] for line in log]
    lines = [json.loads(text) for text in texts if text.startswith("{") and text.endswith("}\n")]
    return [line for line in lines if (line["event"], line.get("alarm")) == (event, about)]


def place(shop: Shop) -> int:
    return shop.log.stat().st_size


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_alarms_fire_once_and_resolve(shop: Shop) -> None:
    begins, silent, behind = place(shop), ("beat", "ingest"), ("stream", "events")
    with stopped(shop.pid_of("beat")), stopped(shop.pid_of("ingest")):
        pipe = shop.redis.pipeline(transaction=False)
        seconds, _ = shop.redis.time()
        for number in range(STREAM + 1):
            # As if they had arrived 30 seconds ago: the watermark is there, and no session becomes silent.
            at = f"{(seconds - 30) * 1000}-{number + 1}"
            pipe.xadd("winback:events", {"event": json.dumps({"session_id": f"s-{number}", "type": "exit"})}, id=at)
        pipe.execute()
        for about in (*silent, *behind):
            (line,) = until(lambda: told(shop, ALARM, about, begins))  # noqa: B023 - asked at once
            assert line["role"] not in silent
            assert line["level"] == ("error" if about in silent else "warning")
    for about in (*silent, *behind):
        until(lambda: told(shop, ALARM_RESOLVED, about, begins))  # noqa: B023 - as above
        assert len(told(shop, ALARM, about, begins)) == 1


@pytest.mark.parametrize("deleted", ["group", "stream"])
def test_deleted_group_or_stream_is_logged_and_recreated(shop: Shop, deleted: str) -> None:
    begins, ingest = place(shop), shop.pid_of("ingest")
    if deleted == "group":
        shop.redis.xgroup_destroy("winback:events", "ingest")
    else:
        shop.redis.delete("winback:events")
    until(lambda: told(shop, ALARM, "group", begins))
    shop.send(f"sess_after_{deleted}", **CHECKOUT, customer=jane(phone_number="+573001234590"), cart=CART)
    until(lambda: not shop.redis.xlen("winback:events"))
    assert shop.redis.exists(Keys().session(f"sess_after_{deleted}"))
    assert shop.pid_of("ingest") == ingest
    assert len(told(shop, ALARM, "group", begins)) == 1


def test_full_server_is_logged_and_events_are_applied_afterwards(shop: Shop) -> None:
    begins = place(shop)
    used = shop.redis.info("memory")["used_memory"]
    shop.redis.config_set("maxmemory", int(used / 0.85))
    (line,) = until(lambda: told(shop, ALARM, "memory", begins))
    assert line["level"] == "warning"
    shop.redis.config_set("maxmemory", 1)
    until(lambda: told(shop, "alarm_firing", "memory", begins))
    shop.redis.config_set("maxmemory", 0)
    until(lambda: told(shop, ALARM_RESOLVED, "memory", begins))
    shop.send("sess_room", **CHECKOUT)
    until(lambda: shop.redis.exists(Keys().session("sess_room")))


def test_frozen_server_is_logged_by_each_role_and_all_resume(shop: Shop) -> None:
    begins, roles = place(shop), {role: shop.pid_of(role) for role in ("ingest", "sweep", "recover", "beat")}
    with stopped(shop.redis.info("server")["process_id"]):
        until(lambda: {line["role"] for line in told(shop, ALARM, "server", begins)} == roles.keys(), 30)
    until(lambda: {line["role"] for line in told(shop, ALARM_RESOLVED, "server", begins)} == roles.keys(), 30)
    shop.send("sess_thawed", **CHECKOUT, customer=jane(phone_number="+573001234592"), cart=CART)
    until(lambda: shop.requests_for("sess_thawed"), 30)
    # None was restarted, and none was considered dead because it couldn't record a heartbeat.
    assert {role: shop.pid_of(role) for role in roles} == roles
    assert not [role for role in roles if told(shop, ALARM, role, begins)]


def test_each_role_that_is_killed_is_started_again_and_lives(shop: Shop) -> None:
    before = {role: shop.pid_of(role) for role in ("ingest", "sweep", "recover", "beat")}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def again(role: str) -> bool:
        signs = shop.redis.hkeys(f"winback:heartbeat:{role}")
        return any(not sign.endswith(f":{before[role]}".encode()) for sign in signs)

    for role in before:
        until(lambda: again(role), 40)  # noqa: B023 - asked at once
    said = shop.log.read_text(encoding="utf-8")
    assert all(f"{role} ended (signal 9, Killed) and is started again in 1 s" in said for role in before)
    shop.send("sess_restarted", **CHECKOUT, customer=jane(phone_number="+573001234591"), cart=CART)
    until(lambda: shop.requests_for("sess_restarted"))
