"""Redis memory for one waiting session: with the example of `docs/reference/events.md`, and an anonymous one.

All additional memory of the server counts, including its tables of keys and expiries. Their load depends on the number
of keys, so each round has another number.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from redis import Redis

from bench.encryption_cost import Nobody
from bench.figures import Figure, Goal
from bench.winback.running import LIVE, SECRET
from detectors.parsing import parse
from detectors.sequence import position
from detectors.session_fields import fields_of
from state.sessions import Change
from tasks.delivery.attempt import attempt
from tasks.delivery.yuno import YunoClient
from tasks.sweep import sweep
from worker import runtime
from worker.celery_support.task_deps import build_deps
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "own: memory"
HOUR_MS = 3_600_000
NUMBERS = (60_000, 80_000, 100_000)
EXAMPLE = (
    b'{"session_id":"%s","type":"activity","flow_stage":"checkout","platform":"web","customer":{"full_name":"Jane Doe",'
    b'"phone_number":"+573001234567","email":"jane.doe@example.com","country_code":"CO","language":"es"},"cart":'
    b'{"total_value":149.99,"currency":"COP","items":[{"name":"Wireless Headphones","sku":"WH-1000XM5","quantity":1,'
    b'"price":149.99}]},"engagement":{"preferred_channel":"auto","metadata":{"utm_campaign":"spring_sale",'
    b'"last_clicked_button":"Proceed to Payment"}}}'
)
ANONYMOUS = b'{"session_id":"%s","type":"activity","flow_stage":"product_selection","platform":"web"}'


def measure(*, quick: bool = False) -> list[Figure]:
    numbers = tuple(number // 10 for number in NUMBERS) if quick else NUMBERS
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        return [
            Figure(
                PART, "waiting session, example's data", _each(server.url, EXAMPLE, numbers), "bytes", Goal("<=", 600)
            ),
            Figure(PART, "waiting session, anonymous", _each(server.url, ANONYMOUS, numbers), "bytes"),
            Figure(
                PART,
                "contacted session, example's data, with its outreach and person",
                _contacted(server.url, numbers),
                "bytes",
            ),
        ]


def _each(url: str, event: bytes, numbers: Sequence[int]) -> tuple[float, ...]:
    return tuple(_bytes(url, event, number) for number in numbers)


def _bytes(url: str, template: bytes, number: int) -> float:
    plain = Redis.from_url(url)
    before = _emptied(plain)
    state = runtime.open_state(load(SECRET | {"WINBACK_REDIS_URL": url}))
    _fill(state, template, number, state.streams.watermark().now_ms)
    waiting = sum(plain.zcard(key) for key in plain.scan_iter("*:lane:*"))
    assert waiting == number
    return (_used(plain) - before) / number


def _contacted(url: str, numbers: Sequence[int]) -> tuple[float, ...]:
    """Return the remaining data of a session whose person was contacted, each a different one."""
    found = []
    for number in numbers:
        number //= 20  # noqa: PLW2901 - each takes an attempt
        plain = Redis.from_url(url)
        before = _emptied(plain)
        settings = load(LIVE | {"WINBACK_REDIS_URL": url})
        state = runtime.open_state(settings)
        deps = replace(build_deps(settings, sends=False), client=cast("YunoClient", Nobody()))
        now_ms = state.streams.watermark().now_ms
        _fill(state, EXAMPLE.replace(b"+573001234567", b"+57300%07d"), number, now_ms - HOUR_MS)
        assert sweep(deps).outreaches == number
        leased = state.outbox.lease_due(number, now_ms=now_ms + 1000, barrier="0-0")
        assert [attempt(outreach, deps).outcome for outreach in leased] == ["sent"] * number
        found.append((_used(plain) - before) / number)
    return tuple(found)


def _fill(state: runtime.State, template: bytes, number: int, now_ms: int) -> None:
    for start in range(0, number, 1000):
        changes = []
        for index in range(start, min(start + 1000, number)):
            name = f"sess_{index:09x}".encode()
            event = parse(template % ((name, index) if b"%07d" in template else name)).event
            assert event is not None
            assert event.session_id is not None
            place = position(event, now_ms + index)
            changes.append(Change(event.session_id, *place[:5], fields_of(event), seen_ms=place.seen_ms))
        state.sessions.apply(changes)


def _emptied(client: Any) -> int:  # noqa: ANN401 - the driver's
    """Empty the server at once, and return its memory then."""
    client.execute_command("FLUSHALL", "SYNC")
    return _used(client)


def _used(client: Any) -> int:  # noqa: ANN401 - the driver's
    """Return the server's memory, without its buffer for the append-only file."""
    memory = client.info("memory")
    return int(memory["used_memory"]) - int(memory["mem_aof_buffer"]) - int(memory["mem_clients_normal"])


if __name__ == "__main__":
    from bench.winback.show import show

    show(measure)
