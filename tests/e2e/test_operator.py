"""The operator's commands against real processes: a dead outreach is retried and sent, and a person is erased."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from state.connection import connect
from tests.support.running_shop import CART, CHECKOUT, Shop, command, jane, running_shop, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

PHONE = "+573001234599"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    # Long enough for a command to start while a request is in flight.
    with running_shop(tmp_path_factory.mktemp("shop"), WINBACK_DELIVERY__TIMEOUT="30s") as found:
        yield found


def winback(shop: Shop, *arguments: str) -> str:
    """Run a command as an operator."""
    port = shop.redis.connection_pool.connection_kwargs["port"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")} | {
        "WINBACK_REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "WINBACK_IDENTITY_SECRET": "an identity secret for the tests",
        "WINBACK_CONFIG": str(shop.log.parent / "winback.toml"),
    }
    return command(env, *arguments)


def outreach_of(shop: Shop, session: str, state: str) -> str:
    def found() -> str | None:
        for key in shop.redis.scan_iter("winback:{*}:outreach:*"):
            if shop.redis.hmget(key, "session", "state") == [session.encode(), state.encode()]:
                return str(key.decode().rpartition(":")[2])
        return None

    return until(found) or ""


def traces(shop: Shop, *texts: str) -> list[str]:
    """Return keys of the state and the broker that contain one of these texts."""
    found = []
    broker: Any = connect(shop.env["WINBACK_REDIS_URL"].replace("/0", "/1"))
    for client in (shop.redis, broker):
        for key in client.scan_iter("*"):
            kind = client.type(key)
            content: Any = b""
            if kind == b"hash":
                content = client.hgetall(key)
            elif kind == b"zset":
                content = client.zrange(key, 0, -1)
            elif kind == b"stream":
                content = client.xrange(key)
            elif kind == b"string":
                content = client.get(key)
            elif kind == b"list":
                content = client.lrange(key, 0, -1)
            found += [key.decode() for text in texts if text.encode() in key + repr(content).encode()]
    broker.close()
    return found


def test_a_dead_one_is_retried_and_sent(shop: Shop) -> None:
    shop.api.control(status=400, times=1)
    shop.send("sess_dead", **CHECKOUT, customer=jane(phone_number="+573001234511"), cart=CART)
    outreach = outreach_of(shop, "sess_dead", "dead")
    (listed,) = json.loads(winback(shop, "dead", "list", "--json"))
    assert (listed["outreach"], listed["session"]) == (outreach, "sess_dead")
    assert f"winback dead retry {outreach}" in winback(shop, "explain", "sess_dead")
    assert winback(shop, "dead", "retry", outreach, "--yes") == "1 outreach: due again\n"
    outreach_of(shop, "sess_dead", "sent")
    refused, taken = shop.requests_for("sess_dead")
    assert (refused["status"], taken["status"]) == (400, 200)
    assert refused["idempotency_key"] == taken["idempotency_key"]
    (story,) = json.loads(winback(shop, "explain", "sess_dead", "--json"))["outreaches"]
    attempts = [line for line in story["history"] if "attempt" in line]
    assert [line["attempt"] for line in attempts] == [1, 1]
    assert all(0 <= line["ms"] < 30_000 for line in attempts)
    assert shop.outcomes().get("sent") == 1
    assert shop.outcomes().get("dead.http_400", 0) == 0


def test_forget_during_send_stops_retries(shop: Shop) -> None:
    shop.api.control(status=503, delay="8s", times=1)
    before = datetime.now(UTC) - timedelta(seconds=1)
    shop.send("sess_forgotten", **CHECKOUT, customer=jane(phone_number=PHONE, email="jane.f@example.com"), cart=CART)
    outreach = outreach_of(shop, "sess_forgotten", "sending")
    shown = winback(shop, "forget", "--scan", "--phone", PHONE, "--yes")
    assert "removed: 1 session," in shown
    assert "1 in flight" in shown
    assert "no number, address or session of theirs is left" in shown
    assert shop.redis.hget(f"winback:{{{outreach[:2]}}}:outreach:{outreach}", "state") == b"sending"
    # The answer allows a retry, but there is none.
    until(lambda: shop.outcomes().get("cancelled.forgotten") == 1)
    # A late event from before the erasure doesn't restore them.
    shop.send(
        "sess_forgotten",
        **CHECKOUT,
        customer=jane(phone_number=PHONE, email="jane.f@example.com"),
        occurred_at=before.isoformat(),
    )
    until(lambda: not shop.redis.xlen("winback:events"))
    shop.send("sess_later", **CHECKOUT, customer=jane(phone_number="+573001234512"), cart=CART)
    until(lambda: shop.requests_for("sess_later"))
    assert len(shop.requests_for("sess_forgotten")) == 1
    assert traces(shop, PHONE[1:], PHONE[3:]) == []
    (tombstone,) = traces(shop, "sess_forgotten")
    assert set(shop.redis.hgetall(tombstone)) == {b"state", b"forgotten", b"sending"}
    assert PHONE not in shop.log.read_text()
    assert "sess_forgotten" not in shop.log.read_text()
