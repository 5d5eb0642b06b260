"""What `winback status` and the alarms say of the event flow."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from state.event_flow import EventFlow
from state.overview import Overview
from tests.support.cli_support import make_healthy, read
from tests.support.durations import HOUR_MS, MINUTE_MS
from winback.cli.flow_lines import flow_data, flow_lines
from worker.monitoring.alarms import failing
from worker.monitoring.checks import flow as checks
from worker.monitoring.finding import Finding
from worker.monitoring.flow_metrics import flow_metrics
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings()


@pytest.fixture
def overview(real_state: State) -> Overview:
    make_healthy(real_state)
    return read(real_state)


def with_flow(overview: Overview, **parts: Any) -> Overview:  # noqa: ANN401 - of the event flow
    return replace(overview, flow=replace(overview.flow, **parts))


def found(overview: Overview, name: str, settings: Settings) -> Finding:
    return next(one for one in checks.findings(overview, settings) if one.name == name)


def marks(overview: Overview, settings: Settings) -> set[str]:
    return {one.name for one in checks.findings(overview, settings) if one.mark != "ok"}


def test_fresh_installation_says_how_to_send_an_event(overview: Overview, settings: Settings) -> None:
    fresh = replace(overview, flow=EventFlow())
    arrivals = found(fresh, "arrivals", settings)
    assert (arrivals.mark, "winback event emit" in arrivals.hint) == ("note", True)
    assert not failing([arrivals])
    assert [*flow_lines(fresh)] == [("flow", "no event has arrived yet")]


@pytest.mark.parametrize(("ago_ms", "mark"), [(6 * HOUR_MS - 1000, "ok"), (6 * HOUR_MS + 1000, "fail")])
def test_no_events_for_the_configured_time_fail(overview: Overview, settings: Settings, ago_ms: int, mark: str) -> None:
    silent = with_flow(overview, last_ms=overview.now_ms - ago_ms)
    assert found(silent, "arrivals", settings).mark == mark


def test_waiting_events_have_arrived(overview: Overview, settings: Settings) -> None:
    silent = with_flow(overview, last_ms=overview.now_ms - 24 * HOUR_MS)
    waiting = replace(silent, events=replace(silent.events, waiting=3))
    assert found(waiting, "arrivals", settings).mark == "ok"


@pytest.mark.parametrize(
    ("times", "mark"), [({"late.20": 20}, "warn"), ({"late.20": 19}, "ok"), ({"late.9": 99}, "ok")]
)
def test_late_events_are_an_alarm(overview: Overview, settings: Settings, times: Any, mark: str) -> None:  # noqa: ANN401
    late = found(with_flow(overview, hour=times), "lateness", settings)
    assert (late.mark, bool(failing([late]))) == (mark, mark == "warn")


def test_median_lateness_lies_within_its_step(overview: Overview) -> None:
    half = with_flow(overview, hour={"late.0": 10, "late.11": 20, "late.20": 5}).flow
    assert 1024 <= (checks.median_lateness_ms(half) or 0) < 2048


@pytest.mark.parametrize(
    ("silent", "unreachable", "mark"), [(40, 30, "warn"), (40, 12, "ok"), (19, 19, "ok"), (20, 9, "ok")]
)
def test_rise_of_unreachable_sessions_is_an_alarm(
    overview: Overview, settings: Settings, silent: int, unreachable: int, mark: str
) -> None:
    hour = {"silent": silent, "unreachable": unreachable}
    risen = with_flow(overview, hour=hour, usual_silent=1000, usual_unreachable=200)
    assert found(risen, "unreachable", settings).mark == mark
    fresh = with_flow(overview, hour=hour, usual_silent=99, usual_unreachable=0)
    assert found(fresh, "unreachable", settings).mark == "ok"


def test_frequent_mistakes_and_unknown_fields_are_notes(overview: Overview, settings: Settings) -> None:
    hour = {"inspected": 100, "unknown": 3, "warning.epoch_time": 50, "warning.clock_ahead": 1}
    wrong = with_flow(overview, hour=hour, names={"custmer": 3})
    assert marks(wrong, settings) == {"fields", "event data"}
    assert "custmer (3)" in found(wrong, "fields", settings).text
    assert found(wrong, "event data", settings).text.endswith("times written as numbers (50%)")


def test_status_shows_rates_and_gaps(overview: Overview) -> None:
    hour = {"type.activity.checkout": 600, "rejected": 3, "customer": 10, "no_phone": 5, "silent": 4, "unreachable": 1}
    busy = with_flow(overview, hour=hour, recent={"type.activity.checkout": 60}, last_ms=overview.now_ms)
    lines = dict(flow_lines(busy))
    assert lines["flow"] == "last event 0 s ago; 12 a minute (5 min), 10 (60 min); last hour: checkout 600, 3 rejected"
    assert "50% without a usable phone, 0% without a country" in lines["data"]
    assert "25% of 4 silent sessions unreachable" in lines["data"]
    assert flow_data(busy)["last_60_min"]["events"] == 603  # type: ignore[index] # of JSON


def test_metrics_have_every_type_and_stage(overview: Overview) -> None:
    busy = with_flow(overview, recent=Counter({"type.activity.checkout": 60}), last_ms=overview.now_ms - MINUTE_MS)
    samples = {(one.name, *one.labels.values()): one.value for made in flow_metrics(busy) for one in made.samples}
    assert samples["winback_events_per_minute", "activity", "checkout"] == 12
    assert samples["winback_events_per_minute", "opt_out", ""] == 0
    assert samples[("winback_events_last_seconds",)] == 60
