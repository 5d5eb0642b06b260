"""The properties during the loss of a primary: imported by the modules that can lose one."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any

from redis.exceptions import RedisError

from state.errors import StateError
from state.keys import Keys
from state.partitions import partition_of
from tests.servers.places import Place
from tests.support.running_shop import CART, CHECKOUT, LEASE, Shop, jane, until

NUMBER = 100
WORKS_AGAIN_WITHIN_S = 30.0
ENDED = ("sent", "unknown", "dead", "expired", "suppressed", "cancelled", "unreachable")


def patiently(look: Callable[[], Any]) -> Callable[[], Any]:
    """Let a check of the servers fail while there is no primary."""

    def found() -> Any:  # noqa: ANN401 - whatever is looked for
        with suppress(RedisError, StateError):
            return look()
        return None

    return found


def emit(shop: Shop, name: str, first: int, number: int) -> None:
    for index in range(first, first + number):
        customer = jane(phone_number=f"+5731{name}{index:05d}")
        until(patiently(partial(_sent, shop, f"sess_{name}_{index}", customer)), 30)


def _sent(shop: Shop, session: str, customer: dict[str, Any]) -> bool:
    shop.send(session, **CHECKOUT, customer=customer, cart=CART)
    return True


def requests_of(shop: Shop, name: str) -> list[dict[str, Any]]:
    return [r for r in shop.api.requests() if r["body"]["session"]["session_id"].startswith(f"sess_{name}_")]


def ended(shop: Shop) -> int:
    return sum(number for name, number in shop.outcomes().items() if name.partition(".")[0] in ENDED)


def test_failover_under_load_loses_and_repeats_no_contact(
    shop: Shop, place: Place, record_property: Callable[[str, object], None]
) -> None:
    before = until(patiently(lambda: ended(shop) + 1)) - 1
    sent = shop.outcomes().get("sent", 0)
    shop.api.control(delay="50ms")
    emit(shop, "111", 0, NUMBER)
    until(lambda: len(requests_of(shop, "111")) >= NUMBER // 10)
    took_s = place.fail_over()
    emit(shop, "111", NUMBER, NUMBER)
    until(lambda: any(r["body"]["session"]["session_id"] == f"sess_111_{NUMBER}" for r in requests_of(shop, "111")), 60)
    until(patiently(lambda: ended(shop) == before + 2 * NUMBER), 60 + 2 * LEASE.total_seconds())
    requests = requests_of(shop, "111")
    sessions = [request["body"]["session"]["session_id"] for request in requests]
    moments = sorted(datetime.fromisoformat(request["received_at"]).timestamp() for request in requests)
    gap_s = max(later - earlier for earlier, later in pairwise(moments))
    outcomes = shop.outcomes()
    figures = {
        "promoted_after_ms": round(1000 * took_s),
        "longest_gap_ms": round(1000 * gap_s),
        "sessions": 2 * NUMBER,
        "requests": len(sessions),
        "duplicates": len(sessions) - len(set(sessions)),
        "sent": outcomes.get("sent", 0) - sent,
        "unknown": outcomes.get("unknown", 0),
    }
    for name, value in figures.items():
        record_property(name, value)
    print(figures)  # noqa: T201 - shown with -rP
    assert figures["duplicates"] == 0
    assert figures["requests"] == 2 * NUMBER
    assert figures["sent"] == 2 * NUMBER
    assert gap_s < WORKS_AGAIN_WITHIN_S


def test_reply_is_recorded_after_a_failover(shop: Shop, place: Place) -> None:
    """Between the fence and the answer: the replica has the fence, and gets the answer."""
    shop.api.control(delay="800ms")
    session = "sess_answered"
    shop.send(session, **CHECKOUT, customer=jane(phone_number="+573121234567"), cart=CART)
    key = until(lambda: _record_of(shop, session, b"sending"), 30)
    place.fail_over(Keys("winback").partition(partition_of(session)))
    until(patiently(lambda: shop.redis.hget(key, "state") == b"sent"), WORKS_AGAIN_WITHIN_S)
    shop.api.control()
    assert len(shop.requests_for(session)) == 1


def _record_of(shop: Shop, session: str, state: bytes) -> str:
    for key in shop.redis.scan_iter(f"winback:{{{partition_of(session):02d}}}:outreach:*"):
        if shop.redis.hmget(key, "session", "state") == [session.encode(), state]:
            return str(key.decode())
    return ""
