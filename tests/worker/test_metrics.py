"""What `winback metrics` says, read as Prometheus reads it."""

import asyncio
from collections.abc import Sequence
from threading import Event

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from detectors.lanes import LANES
from state.errors import ServerUnavailableError
from state.overview import Overview
from state.partition_totals import OUTCOMES
from state.progress_stamps import Stamps
from tests.support.helpers import (
    DAY_MS,
    HOUR_MS,
    JANE,
    MINUTE_MS,
    SECOND_MS,
    abandon,
    apply,
    arrived,
    dispatch,
    event,
    now_ms,
    sending,
    sweep,
)
from tests.support.looking import last_seen, make_healthy, read
from worker.monitoring import metrics_server
from worker.monitoring.health import Finding
from worker.monitoring.metrics_server import Looks, create_app
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")

SETTINGS = Settings(redis_url="redis://127.0.0.1:1/0")


class Shown:
    """One answer of `/metrics`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}

    def value(self, name: str, **labels: str) -> float:
        samples = [s for family in self.families.values() for s in family.samples if s.name == name]
        found = [sample.value for sample in samples if sample.labels == labels]
        assert len(found) == 1, (name, labels, samples)
        return float(found[0])

    def values(self, name: str, label: str) -> dict[str, float]:
        """Those that are not 0, by one label."""
        samples = (s for family in self.families.values() for s in family.samples if s.name == name and s.value)
        return {sample.labels[label]: sample.value for sample in samples}


def show(state: State, *, ours: Sequence[Finding] = ()) -> Shown:
    return Shown(ask(Looks(lambda: read(state), SETTINGS), ours=ours).text)


def ask(
    looks: Looks, *, accept: str = "", encoding: str = "", query: str = "", ours: Sequence[Finding] = ()
) -> httpx.Response:
    """What the server answers, without a server."""

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(looks, SETTINGS, ours))
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:
            return await client.get(f"/metrics{query}", headers={"accept": accept, "accept-encoding": encoding})

    return asyncio.run(get())


def test_outreaches_are_counted_by_their_place_and_by_how_late_the_oldest_is(real_state: State) -> None:
    real_state.outbox.settle(sending(real_state, "s-unknown"), "unknown", reason="timed_out", ambiguous=True)
    real_state.outbox.settle(sending(real_state, "s-dead"), "dead", reason="http_400.BAD_NUMBER_573001234567")
    real_state.outbox.settle(sending(real_state, "s-later"), "retry", reason="http_503", delay_ms=HOUR_MS)
    abandon(real_state, "s-leased")
    assert len(dispatch(real_state)) == 1
    assert show(real_state).value("winback_outreaches_oldest_due_seconds") == 0
    abandon(real_state, "s-due", ago_ms=20 * MINUTE_MS)

    shown = show(real_state)

    every_place = {"due_now": 1, "due_later": 1, "leased": 1, "dead": 1, "unknown": 1}
    assert shown.values("winback_outreaches", "place") == every_place
    assert 0 <= shown.value("winback_outreaches_oldest_due_seconds") < 2 * HOUR_MS / SECOND_MS
    assert shown.value("winback_outcomes_total", outcome="dead", reason="http_400") == 1


def test_a_due_outreach_gets_older(real_state: State) -> None:
    outreach = abandon(real_state, "s-due")
    key = real_state.keys.partition(int(outreach[:2])) + "due"
    real_state.client.zadd(key, {outreach: now_ms(real_state) - 90 * SECOND_MS})

    assert 90 <= show(real_state).value("winback_outreaches_oldest_due_seconds") < 120


def test_what_a_reply_says_becomes_no_label(real_state: State) -> None:
    real_state.outbox.settle(sending(real_state, "s-dead"), "dead", reason="http_400.BAD_NUMBER_573001234567")

    assert "573001234567" not in show(real_state).text


def test_the_stream_is_told_in_entries_and_in_seconds(real_state: State) -> None:
    real_state.streams.first.create_group()
    at = now_ms(real_state) - 30 * SECOND_MS
    for number in range(5):
        real_state.client.xadd(real_state.keys.events, {"event": "{}"}, id=f"{at + number}-0")
    real_state.streams.first.read("somebody", count=2, block_ms=1)

    shown = show(real_state)

    assert shown.value("winback_events_waiting") == 5
    assert shown.value("winback_events_pending") == 2
    assert 30 <= shown.value("winback_events_lag_seconds") < 60


def test_sessions_are_told_by_lane_while_they_wait_and_once_they_fell_silent(real_state: State) -> None:
    at = now_ms(real_state) - HOUR_MS
    for number in range(6):
        customer = JANE if number < 2 else {}
        apply(real_state, arrived(event(session=f"s-{number}", stage="checkout", customer=customer), at))
    lane = {"stage": "checkout", "platform": "web", "kind": "idle"}
    assert show(real_state).value("winback_sessions_waiting", **lane) == 6
    sweep(real_state)

    shown = show(real_state)

    assert shown.value("winback_sessions_waiting", **lane) == 0
    assert shown.value("winback_sessions_silent_total", **lane) == 6
    assert shown.value("winback_outcomes_total", outcome="unreachable", reason="") == 4
    assert shown.value("winback_outcomes_total", outcome="suppressed", reason="shadow") == 0
    assert len(shown.families["winback_sessions_waiting"].samples) == len(LANES)
    assert {sample.labels["outcome"] for sample in shown.families["winback_outcomes"].samples} == set(OUTCOMES)


def test_roles_are_told_by_their_last_sign_of_life(real_state: State) -> None:
    make_healthy(real_state)
    last_seen(real_state, "recover", 60 * SECOND_MS)

    shown = show(real_state)

    assert shown.values("winback_role_processes", "role") == {"ingest": 1, "sweep": 1, "beat": 1}
    assert 60 <= shown.value("winback_role_last_seen_seconds", role="recover") < 90
    assert shown.value("winback_role_last_seen_seconds", role="ingest") < 30
    assert shown.value("winback_last_sweep_seconds") < 30


def test_session_past_its_threshold_is_overdue_until_claimed(real_state: State) -> None:
    apply(real_state, arrived(event(stage="checkout", customer=JANE), now_ms(real_state) - HOUR_MS))
    assert 2700 <= show(real_state).value("winback_sessions_overdue_seconds") < 2800

    sweep(real_state)
    assert show(real_state).value("winback_sessions_overdue_seconds") == 0


def test_age_of_the_last_dispatch_round_is_told(real_state: State) -> None:
    assert "winback_last_dispatch_seconds" not in show(real_state).families

    Stamps(real_state.scripts, real_state.keys).dispatched(untaken=0)
    assert show(real_state).value("winback_last_dispatch_seconds") < 30


def test_a_role_that_was_never_seen_has_no_age(real_state: State) -> None:
    shown = show(real_state)

    assert shown.families["winback_role_last_seen_seconds"].samples == []
    assert "winback_last_sweep_seconds" not in shown.families


def test_a_check_that_fails_is_told_by_its_name(real_state: State) -> None:
    make_healthy(real_state)
    last_seen(real_state, "recover", 60 * SECOND_MS)

    shown = show(real_state, ours=[Finding("settings", "fail", "Jane Doe has mistyped them", "mend it")])

    assert shown.values("winback_check_failing", "check") == {"recover": 1, "settings": 1}
    assert shown.value("winback_check_failing", check="ingest") == 0
    assert "Jane" not in shown.text


def test_a_pause_is_told_as_what_holds_sending_back(real_state: State) -> None:
    assert show(real_state).values("winback_sending", "state") == {"on": 1}
    real_state.control.pause("Jane Doe asked for it")

    shown = show(real_state)

    assert shown.values("winback_sending", "state") == {"paused": 1}
    assert "Jane" not in shown.text


def test_the_counters_are_those_of_today(real_state: State) -> None:
    abandon(real_state, "s-1", ago_ms=HOUR_MS)
    yesterday = now_ms(real_state) // DAY_MS - 1
    for number in range(64):
        real_state.client.hset(f"{real_state.keys.partition(number)}stats:{yesterday}", "sent.", 9)
        real_state.client.pexpire(f"{real_state.keys.partition(number)}stats:{yesterday}", DAY_MS)

    assert show(real_state).value("winback_outcomes_total", outcome="sent", reason="") == 0


def test_every_name_follows_the_conventions(real_state: State) -> None:
    for family in show(real_state).families.values():
        assert family.name.startswith("winback_")
        assert family.documentation.endswith(".")
        assert not family.name.endswith(("_ms", "_mb", "_percent", "_count", "_total"))
        assert family.type in {"gauge", "counter"}


def test_it_speaks_openmetrics_to_who_asks_for_it(real_state: State) -> None:
    reply = ask(Looks(lambda: read(real_state), SETTINGS), accept="application/openmetrics-text; version=1.0.0")
    assert reply.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert reply.text.endswith("# EOF\n")


def test_metrics_are_compressed_and_selected_on_request() -> None:
    reply = ask(Looks(unreachable, SETTINGS), encoding="gzip", query="?name[]=winback_up")
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
        transport = httpx.ASGITransport(create_app(Looks(look, SETTINGS), SETTINGS))
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


def test_all_who_ask_within_a_second_are_served_from_one_look(real_state: State) -> None:
    times, clock = [], Clock()

    def look() -> Overview:
        times.append(clock.now)
        return read(real_state)

    looks = Looks(look, SETTINGS, clock)
    assert looks.latest() is looks.latest()
    clock.now += 0.9
    looks.latest()
    assert len(times) == 1
    clock.now += 0.2
    looks.latest()
    assert len(times) == 2


def test_a_server_that_is_away_is_told_as_such_and_logged_once() -> None:
    clock, away = Clock(), True

    def look() -> Overview:
        if away:
            raise ServerUnavailableError("it does not answer")
        return None  # type: ignore[return-value] # who is served does not matter here

    looks = Looks(look, SETTINGS, clock)
    with capture_logs() as lines:
        for _ in range(3):
            clock.now += 5
            assert ask(looks).text.splitlines()[-1] == "winback_up 0.0"
        away = False
        clock.now += 5
        looks.latest()
    assert [line["event"] for line in lines] == ["state_unreachable", "state_reachable"]


def test_a_look_that_hangs_holds_nobody_up_and_is_not_begun_again_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "PATIENCE_S", 0.01)
    clock, begun, hold = Clock(), [], Event()

    def look() -> Overview:
        begun.append(clock.now)
        hold.wait(30)
        raise ServerUnavailableError("it does not answer")

    looks = Looks(look, SETTINGS, clock)
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
