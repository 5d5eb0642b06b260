"""An event whose request got 200 reaches the stream, whatever fails, and silence waits for it."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from redis import Redis

from state.cipher import cipher_of
from state.collectors import Collectors
from state.scripts import Scripts
from tests.support.collecting import EVENT, CollectorProcess, emit, sessions, streamed
from tests.support.processes import until
from tests.support.spools import files, opened
from tests.support.states import make_state
from worker.collector.spool_quarantine import FILE
from worker.collector.spool_records import unpack
from worker.collector.visits import MARK
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.e2e
KEY = bytes(range(32)).hex()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of the test's own, which it can stop."""
    with EmbeddedValkey(tmp_path / "valkey", port=0) as started:
        yield started


def state_of(server: EmbeddedValkey) -> State:
    client = Redis.from_url(server.url)
    return make_state(client, Scripts(client))


def named(number: int) -> dict[str, str]:
    return {**EVENT, "session_id": f"s-{number}"}


def numbers(server: EmbeddedValkey) -> list[int]:
    with Redis.from_url(server.url) as redis:
        return [int(session.removeprefix("s-")) for session in sessions(redis)]


def test_outage_is_bridged_by_the_spool_in_order(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    with CollectorProcess(redis_server.url, tmp_path, WINBACK_ENCRYPTION_KEYS=KEY) as process:
        connection = process.connection()
        assert emit(connection, [named(0)]) == 200
        redis_server.kill()
        for number in range(1, 30):
            assert emit(connection, [named(number)]) == 200
        assert b"s-12" not in b"".join(file.read_bytes() for file in (tmp_path / "spool").glob("*.events"))
        redis_server.start()
        for number in range(30, 60):
            assert emit(connection, [named(number)]) == 200
        until(lambda: 59 in numbers(redis_server))
        found = numbers(redis_server)
        assert list(dict.fromkeys(found)) == list(range(60))
        assert process.stop() == 0
        assert list((tmp_path / "spool").glob("*.events")) == []
        assert redis_server.pid


def test_visitors_find_their_session_after_an_outage(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    def view(name: str, **properties: str) -> dict[str, Any]:
        return {"anonymousId": "a-1", "event": name, "properties": properties}

    with CollectorProcess(redis_server.url, tmp_path, WINBACK_ENCRYPTION_KEYS=KEY) as process:
        connection = process.connection()
        redis_server.kill()
        identify = {"anonymousId": "a-1", "traits": {"phone": "+573001234567"}}
        assert emit(connection, identify, "/v1/identify") == 200
        assert emit(connection, view("Cart Viewed", cart_id="cart-5"), "/v1/track") == 200
        assert emit(connection, [named(1)]) == 200
        redis_server.start()
        assert emit(connection, view("Checkout Started", order_id="A-1"), "/v1/track") == 200
        with Redis.from_url(redis_server.url) as redis:
            until(lambda: len(streamed(redis)) >= 3)
            first, second, third = streamed(redis)
    assert [event["session_id"] for event in (first, second, third)] == ["cart-5", "s-1", "cart-5"]
    assert first["customer"]["phone_number"] == "+573001234567"


def test_collector_starts_while_redis_is_down(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    redis_server.kill()
    with CollectorProcess(redis_server.url, tmp_path) as process:
        assert emit(process.connection(), [named(0)]) == 200
        redis_server.start()
        until(lambda: numbers(redis_server) == [0])


def test_frozen_redis_holds_no_request_for_long(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    assert redis_server.pid
    with CollectorProcess(redis_server.url, tmp_path) as process:
        assert emit(process.connection(), [named(0)]) == 200
        os.kill(redis_server.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert emit(process.connection(), [named(1)]) == 200
            assert emit(process.connection(), [named(2)]) == 200
            assert time.monotonic() - began < 5
        finally:
            os.kill(redis_server.pid, signal.SIGCONT)
        until(lambda: {0, 1, 2} <= set(numbers(redis_server)))


def send_until_killed(process: CollectorProcess, numbers: Iterator[int], acknowledged: set[int]) -> None:
    """Send until the connection breaks; note the events whose request got 200."""
    connection = process.connection()
    with suppress(OSError, HTTPException):
        while True:
            batch = [next(numbers) for _ in range(3)]
            if emit(connection, [named(number) for number in batch]) == 200:
                acknowledged.update(batch)


def test_killed_collector_loses_no_acknowledged_event(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    process = CollectorProcess(redis_server.url, tmp_path)
    process.start()
    chance, acknowledged, next_number = random.Random(7), set[int](), iter(range(10**6))
    for round_number in range(4):
        senders = [Thread(target=send_until_killed, args=(process, next_number, acknowledged)) for _ in range(6)]
        before = len(acknowledged)
        for sender in senders:
            sender.start()
        if round_number % 2:
            redis_server.kill()
        until(lambda before=before: len(acknowledged) > before + chance.randrange(200, 400))  # type: ignore[misc]
        process.kill()
        for sender in senders:
            sender.join()
        if round_number % 2:
            redis_server.start()
        process.start()
    until(lambda: not list((tmp_path / "spool").glob("*.events")))
    assert process.stop() == 0
    assert acknowledged <= set(numbers(redis_server))
    assert len(acknowledged) > 800


def test_full_spool_answers_503_until_redis_is_back(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    with CollectorProcess(redis_server.url, tmp_path, WINBACK_COLLECT__SPOOL_LIMIT_MB="1") as process:
        connection = process.connection()
        redis_server.kill()
        large = {**named(0), "engagement": {"metadata": {"text": "x" * 300_000}}}
        statuses = [emit(process.connection(), [large]) for _ in range(5)]
        assert statuses == [200, 200, 200, 503, 503]
        connection.request("GET", "/readyz")
        assert connection.getresponse().status == 200
        redis_server.start()
        until(lambda: len(numbers(redis_server)) == 3)
        until(lambda: emit(process.connection(), [named(1)]) == 200)


def test_silence_waits_for_a_collector_that_was_killed(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    process = CollectorProcess(redis_server.url, tmp_path)
    process.start()
    state = state_of(redis_server)
    marks = Collectors(state.scripts, state.keys).marks
    until(lambda: marks() and marks()[0].until_ms)
    process.kill()
    until(lambda: state.streams.watermark().now_ms - state.streams.watermark().until_ms > 1500)
    (last,) = marks()
    assert state.streams.watermark().until_ms == last.until_ms
    process.start()
    until(lambda: marks()[0].until_ms > last.until_ms)
    assert [mark.collector for mark in marks()] == [last.collector]
    assert process.stop() == 0
    assert marks() == ()
    state.client.close()


def test_flipped_bytes_are_quarantined_and_hold_contacts(redis_server: EmbeddedValkey, tmp_path: Path) -> None:
    line = MARK + b'{"of": "another version"}'
    with CollectorProcess(redis_server.url, tmp_path, WINBACK_ENCRYPTION_KEYS=KEY) as process:
        connection = process.connection()
        redis_server.kill()
        for number in range(6):
            assert emit(connection, [named(number)]) == 200
        process.kill()
        with opened(tmp_path / "spool", cipher_of(KEY)) as spool:
            spool.append(time.time_ns() // 1_000_000, [line])
        segment = files(tmp_path / "spool")[0]
        content = bytearray(segment.read_bytes())
        content[[*unpack(bytes(content))][2].end - 9] ^= 0x55
        segment.write_bytes(content)
        redis_server.start()
        process.start()
        until(lambda: 5 in numbers(redis_server))
        until(lambda: (tmp_path / "spool" / FILE).exists() and not files(tmp_path / "spool"))
        assert numbers(redis_server) == [0, 1, 3, 4, 5]
        state = state_of(redis_server)
        marks = Collectors(state.scripts, state.keys)
        until(lambda: marks.marks()[0].figures.damaged_bytes > 0)
        (mark,) = marks.marks()
        assert mark.holds(mark.until_ms + 60_000, 15 * 60_000)
        assert process.log.count("spool_damaged") == 2
        assert b"s-2" not in (tmp_path / "spool" / FILE).read_bytes()
        process.stop()
        assert marks.marks() != ()
