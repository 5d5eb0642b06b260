"""How the metrics are served: formats, health and a server that is away."""

import asyncio
from threading import Event

import httpx
import pytest
from structlog.testing import capture_logs

from state.errors import ServerUnavailableError
from state.overview import Overview
from tests.support.cli_support import read
from tests.support.shown_metrics import SETTINGS, ask, show
from worker.monitoring import metrics_server
from worker.monitoring.metrics_server import SnapshotCache, create_app
from worker.runtime import State

pytestmark = pytest.mark.xdist_group("valkey")


def test_every_name_follows_the_conventions(real_state: State) -> None:
    for family in show(real_state).families.values():
        assert family.name.startswith("winback_")
        assert family.documentation.endswith(".")
        assert not family.name.endswith(("_ms", "_mb", "_percent", "_count", "_total"))
        assert family.type in {"gauge", "counter"}


def test_openmetrics_is_served_on_request(real_state: State) -> None:
    reply = ask(SnapshotCache(lambda: read(real_state), SETTINGS), accept="application/openmetrics-text; version=1.0.0")
    assert reply.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert reply.text.endswith("# EOF\n")


def test_metrics_are_compressed_and_selected_on_request() -> None:
    reply = ask(SnapshotCache(unreachable, SETTINGS), encoding="gzip", query="?name[]=winback_up")
    assert reply.headers["content-encoding"] == "gzip"
    assert [line for line in reply.text.splitlines() if not line.startswith("#")] == ["winback_up 0.0"]


def test_healthz_answers_while_a_scrape_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "PATIENCE_S", 10)
    asked, hold = Event(), Event()

    def look() -> Overview:
        asked.set()
        hold.wait(30)
        return unreachable()

    async def get() -> str:
        transport = httpx.ASGITransport(create_app(SnapshotCache(look, SETTINGS), SETTINGS))
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:
            scrape = asyncio.create_task(client.get("/metrics"))
            await asyncio.to_thread(asked.wait, 30)
            try:
                reply = await client.get("/healthz")
                assert not scrape.done()
                return reply.text
            finally:
                hold.set()
                await scrape

    assert asyncio.run(get()) == "ok\n"


def unreachable() -> Overview:
    raise ServerUnavailableError("it does not answer")


# One look for all


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_scrapes_within_a_second_share_one_snapshot(real_state: State) -> None:
    times, clock = [], Clock()

    def look() -> Overview:
        times.append(clock.now)
        return read(real_state)

    looks = SnapshotCache(look, SETTINGS, clock)
    assert looks.latest() is looks.latest()
    clock.now += 0.9
    looks.latest()
    assert len(times) == 1
    clock.now += 0.2
    looks.latest()
    assert len(times) == 2


def test_unreachable_server_is_exported_and_logged_once() -> None:
    clock, away = Clock(), True

    def look() -> Overview:
        if away:
            raise ServerUnavailableError("it does not answer")
        return None  # type: ignore[return-value] # who is served does not matter here

    looks = SnapshotCache(look, SETTINGS, clock)
    with capture_logs() as lines:
        for _ in range(3):
            clock.now += 5
            assert ask(looks).text.splitlines()[-1] == "winback_up 0.0"
        away = False
        clock.now += 5
        looks.latest()
    assert [line["event"] for line in lines] == ["state_unreachable", "state_reachable"]


def test_hanging_read_blocks_no_scrape_and_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "PATIENCE_S", 0.01)
    clock, begun, hold = Clock(), [], Event()

    def look() -> Overview:
        begun.append(clock.now)
        hold.wait(30)
        raise ServerUnavailableError("it does not answer")

    looks = SnapshotCache(look, SETTINGS, clock)
    try:
        for _ in range(5):
            clock.now += 5
            assert looks.latest() is None
        assert len(begun) == 1
        clock.now += metrics_server.GIVEN_UP_S
        assert looks.latest() is None
        assert len(begun) == 2
    finally:
        hold.set()
