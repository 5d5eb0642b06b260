"""`winback pause`, `winback resume`, and the blocks of sending in `winback status`."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from state.sending_control import Control
from tests.support.cli_support import environment, make_healthy, read
from tests.support.cli_support import run as look
from tests.support.control_support import control, granted, held, passes
from tests.support.control_support import sending as how_it_goes
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.outreaches import abandon
from tests.support.stored_state import now_ms
from winback.cli import pause
from worker.errors import StartError
from worker.monitoring import health
from worker.monitoring.checks import sending
from worker.runtime import State
from worker.settings import Settings, load
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

Run = Callable[..., str]


@pytest.fixture
def run(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(pause.pause)
    app.command()(pause.resume)

    def call(*arguments: str, **env: str) -> str:
        result = CliRunner().invoke(app, arguments, env={**environment(valkey.url), **env}, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout.strip()

    return call


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def findings(state: State, **delivery: str) -> dict[str, health.Finding]:
    settings = load({f"WINBACK_DELIVERY__{name.upper()}": value for name, value in delivery.items()})
    return {found.name: found for found in health.findings(read(state), settings)}


def test_pause_stops_sending_until_resume(real_state: State, run: Run) -> None:
    assert run("pause", "--reason", "the\nline") == "sending is paused until winback resume; due outreaches stay due"
    assert granted(control(real_state)) == 0
    assert how_it_goes(real_state).reason == r"the\nline"
    assert run("resume") == "sending resumes"
    assert granted(control(real_state), 3) == 3
    assert run("resume") == "sending was not paused"


def test_a_pause_may_have_an_end(real_state: State, run: Run) -> None:
    shown = run("pause", "--for", "2h")
    until_ms = how_it_goes(real_state).until_ms
    assert until_ms is not None
    assert abs(until_ms - now_ms(real_state) - 2 * HOUR_MS) < MINUTE_MS
    assert shown == f"sending is paused until {health.clock_time(until_ms)}; due outreaches stay due"


@pytest.mark.parametrize("wrong", ["2", "soon", "0s"])
def test_a_duration_that_cannot_be_read_pauses_nothing(real_state: State, run: Run, wrong: str) -> None:
    with pytest.raises(StartError, match=f"^--for: '{wrong}' "):
        run("pause", "--for", wrong)
    assert how_it_goes(real_state).sending_state == "on"


def test_settings_that_cannot_be_used_pause_nothing_anywhere(real_state: State, run: Run) -> None:
    with pytest.raises(StartError, match="unknown variable"):
        run("pause", WINBACK_NAMESPAC="other")
    assert how_it_goes(real_state).sending_state == "on"


def test_to_resume_tries_at_once_what_has_stopped_by_itself(real_state: State, run: Run) -> None:
    by = control(real_state)
    by.report_outcome(held(), "refused", "http_401")
    assert run("resume") == "sending was not paused; it had stopped automatically (http_401): one outreach is tried now"
    assert granted(by) == 1


# In status


def test_while_nothing_holds_it_back_all_is_well(healthy: State) -> None:
    assert findings(healthy)["sending"] == health.Finding("sending", "ok", "not blocked")
    passes(control(healthy, per_day=1000))
    assert findings(healthy, max_per_day="1000")["sending"].text.endswith("; 1 of 1,000 contacts of the day")
    assert "shop" not in findings(healthy)


def test_pause_is_shown_prominently_with_reason_and_end(healthy: State) -> None:
    until = health.clock_time(control(healthy).pause("the line is down", for_ms=2 * HOUR_MS).until_ms)
    since = health.clock_time(how_it_goes(healthy).since_ms or 0)
    told = findings(healthy)["sending"]
    assert told.mark == "fail"
    assert told.text == (
        f"paused by an operator since {since}, until {until} (the line is down): nothing is sent, outreaches stay due"
    )
    assert told.hint == "winback resume"


def test_pause_during_a_stop_shows_both(healthy: State) -> None:
    by = control(healthy)
    by.report_outcome(held(), "refused", "http_401")
    by.pause("")
    assert findings(healthy)["sending"].text.endswith(
        "outreaches stay due; it had also stopped automatically (http_401)"
    )


def stop(by: Control) -> None:
    by.report_outcome(held(), "refused", "http_401")


def fail(by: Control) -> None:
    by.report_outcome(held(), "failing", "http_429", pause_ms=5 * MINUTE_MS)


@pytest.mark.parametrize(
    ("happens", "why", "wait", "hint"),
    [
        (stop, "http_401", (40 * SECOND_MS, "40 s"), "fix delivery.public_api_key"),
        (fail, "http_429", (5 * MINUTE_MS, "5 min"), "if Yuno is down, no action is needed"),
    ],
)
def test_automatic_stop_is_shown_with_its_next_try(
    healthy: State, happens: Callable[[Control], None], why: str, wait: tuple[int, str], hint: str
) -> None:
    happens(control(healthy))
    found = read(healthy)
    told = sending.finding(replace(found, now_ms=(found.sending.next_try_ms or 0) - wait[0]), Settings())
    assert told.mark == "fail"
    since = health.clock_time(found.sending.since_ms or 0)
    assert told.text == (
        f"stopped since {since} because {why}; outreaches stay due; "
        f"next try in {wait[1]}, and sending resumes when it succeeds"
    )
    assert told.hint.startswith(hint)


def test_running_probe_is_shown(healthy: State) -> None:
    by = control(healthy)
    stop(by)
    healthy.client.hset(f"{healthy.keys.control}sending", "retry_at", now_ms(healthy))
    assert granted(by) == 1
    assert "; one outreach is being tried now, " in findings(healthy)["sending"].text


def test_reached_daily_limit_is_shown(healthy: State) -> None:
    by = control(healthy, per_day=1)
    passes(by)
    granted(by)
    told = findings(healthy)["sending"]
    assert (told.mark, told.text) == ("warn", "daily limit reached (1): sending resumes at 00:00 UTC")


def test_what_is_held_back_is_not_blamed_on_the_workers(healthy: State) -> None:
    abandon(healthy, ago_ms=30 * MINUTE_MS)
    assert findings(healthy)["outbox"].mark == "warn"
    control(healthy).pause("")
    assert findings(healthy)["outbox"].text == "1 due now, the first for 15 min: sending is blocked"


def test_silent_shop_is_reported(healthy: State) -> None:
    healthy.client.xadd(healthy.keys.events, {"event": "{}"}, id=f"{now_ms(healthy) - 3 * HOUR_MS}-0")
    healthy.client.xtrim(healthy.keys.events, 0)
    healthy.streams.shop_silence(HOUR_MS)
    told = findings(healthy)["shop"]
    assert told.mark == "fail"
    assert told.text.startswith("no event has arrived for 3 h, longer than detection.max_silence")


def test_shop_without_events_is_reported(healthy: State) -> None:
    healthy.streams.shop_silence(HOUR_MS)
    assert findings(healthy)["shop"].text.startswith("no event has arrived for an unknown time")


def test_json_and_screen_show_the_pause(healthy: State, valkey: EmbeddedValkey) -> None:
    env = environment(valkey.url, WINBACK_DELIVERY__MAX_PER_DAY="500")
    stop(control(healthy))
    healthy.streams.shop_silence(DAY_MS)
    code, shown = look("status", "--json", **env)
    found = json.loads(shown)
    assert code == 0
    assert found["sweep"]["shop_silent_since_ms"] == 0
    assert {
        name: found["sending"][name] for name in ("sending_state", "why", "probing", "max_per_day", "contacts_today")
    } == {
        "sending_state": "refused",
        "why": "http_401",
        "probing": False,
        "max_per_day": 500,
        "contacts_today": 0,
    }
    assert "shadow, STOPPED: nothing is sent (127.0.0.1" in look("status", **env)[1]
    control(healthy).pause("")
    assert "shadow, PAUSED: nothing is sent" in look("status", **env)[1]


def test_resume_reports_missing_orders(real_state: State, run: Run) -> None:
    real_state.orders.record("stopped", judged_ms=0, hold=True, run=30, rate=0.5)
    assert run("resume") == "sending was not paused; no orders arrive: sending continues for an hour anyway"
    assert granted(control(real_state)) > 0
