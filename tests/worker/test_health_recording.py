"""What `winback status`, `doctor` and the metrics report of the recording."""

from pathlib import Path

import pytest

from state.recording import Copies, RecorderReport
from tests.support.cli_support import make_healthy, read
from tests.support.durations import DAY_MS, MINUTE_MS
from tests.support.shown_metrics import show
from tests.support.stored_state import now_ms
from winback.cli.recording_lines import recording_lines
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.monitoring.finding import Finding
from worker.recorder.settings import RecordSettings
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def found(state: State, settings: Settings | None = None) -> list[Finding]:
    return [one for one in health.findings(read(state), settings or Settings()) if one.name == "recording"]


def report(state: State, *reports: RecorderReport) -> None:
    for one in (RecorderReport(), *reports):
        Copies(state.scripts, state.keys, state.streams).report(one)


def test_deployment_without_a_recorder_has_no_finding(healthy: State) -> None:
    assert found(healthy) == []
    assert [*recording_lines(read(healthy))] == []


def test_directory_without_a_recorder_is_reported(healthy: State) -> None:
    settings = Settings(record=RecordSettings(directory=Path("rec")))
    assert [one.mark for one in found(healthy, settings)] == ["warn"]


@pytest.mark.parametrize(
    ("sent", "fields", "mark", "words"),
    [
        (RecorderReport(written=9, bytes=2**20), {}, "ok", "9 events, 1 MB"),
        (RecorderReport(), {"at": -2 * MINUTE_MS}, "fail", "has not reported for 2 min"),
        (RecorderReport(why="no space left on device"), {}, "fail", "no space left on device"),
        (RecorderReport(written=10, lost=2), {}, "warn", "2 events are missing"),
        (RecorderReport(written=10_000, lost=2), {}, "note", "2 events are missing"),
        (RecorderReport(written=10, lost=2), {"lost_at": -DAY_MS - 1}, "ok", "10 events"),
        (RecorderReport(stops=True), {"at": -2 * MINUTE_MS}, "note", "was stopped"),
    ],
)
def test_recording_has_one_finding(
    healthy: State, sent: RecorderReport, fields: dict[str, int], mark: str, words: str
) -> None:
    report(healthy, sent)
    for name, ago in fields.items():
        healthy.client.hset(healthy.keys.recorder, name, now_ms(healthy) + ago)
    (finding,) = found(healthy)
    assert (finding.mark, words in finding.text) == (mark, True), finding.text


def test_full_disk_fires_an_alarm(healthy: State) -> None:
    report(healthy, RecorderReport(why="no space left on device"))
    assert "recording" in failing(health.findings(read(healthy), Settings()))


def test_metrics_and_status_have_the_recording(healthy: State) -> None:
    report(healthy, RecorderReport(written=7, lost=2, bytes=1000, why="disk"))
    shown = show(healthy)
    assert shown.value("winback_recording_events_total") == 7
    assert shown.value("winback_recording_lost_total") == 2
    assert shown.value("winback_recording_failing") == 1
    assert dict(recording_lines(read(healthy))) == {"recording": "7 events, 2 missing, 0 MB"}
