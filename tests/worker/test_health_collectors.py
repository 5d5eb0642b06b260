"""What `winback status`, `doctor` and the metrics report of collectors."""

import pytest

from state.collectors import COLLECTOR_TTL_MS, Collectors, Figures
from tests.support.cli_support import make_healthy, read
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.shown_metrics import show
from tests.support.stored_state import now_ms
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.monitoring.finding import Finding
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def report(state: State, *, until_ago_ms: int = 0, seen_ago_ms: int = 0, collector: str = "ab12") -> None:
    now = now_ms(state)
    text = f"{now - until_ago_ms} {now - seen_ago_ms} 3145728 7 30 2"
    state.scripts.client.hset(state.keys.collectors, collector, text)
    state.scripts.client.pexpire(state.keys.collectors, COLLECTOR_TTL_MS)


def found(state: State) -> list[Finding]:
    return [finding for finding in health.findings(read(state), Settings()) if finding.name == "collectors"]


def test_deployment_without_collectors_has_no_finding(healthy: State) -> None:
    assert found(healthy) == []


def test_collectors_that_keep_up_are_well(healthy: State) -> None:
    report(healthy)
    report(healthy, until_ago_ms=SECOND_MS, collector="b")
    (finding,) = found(healthy)
    assert (finding.mark, finding.text) == ("ok", "2 collectors run; all events that they accepted are in a stream")


@pytest.mark.parametrize(
    ("until_ago_ms", "seen_ago_ms", "words"),
    [
        (MINUTE_MS, 0, ("collector ab12 has held undelivered events for 60 s (3 MB)", "nothing is sent until")),
        (2 * HOUR_MS, 0, ("has held undelivered events for 2 h", "silence is measured without them again")),
        (MINUTE_MS, MINUTE_MS, ("collector ab12 has disappeared 60 s ago", "nothing is sent until")),
        (HOUR_MS, HOUR_MS, ("collector ab12 has disappeared 60 min ago", "silence is measured without it again")),
    ],
)
def test_collector_that_holds_events_is_an_alarm(
    healthy: State, until_ago_ms: int, seen_ago_ms: int, words: tuple[str, ...]
) -> None:
    report(healthy, until_ago_ms=until_ago_ms, seen_ago_ms=seen_ago_ms)
    report(healthy, collector="b")
    (finding,) = found(healthy)
    assert finding.mark == "fail"
    assert all(word in finding.text for word in words), finding.text
    assert finding.hint
    assert "collectors" in failing([finding])


def test_metrics_have_the_figures_of_each_collector(healthy: State) -> None:
    report(healthy, until_ago_ms=MINUTE_MS, seen_ago_ms=MINUTE_MS)
    found = show(healthy)
    assert found.value("winback_collector_up", collector="ab12") == 0
    assert 60 <= found.value("winback_collector_behind_seconds", collector="ab12") < 120
    assert found.value("winback_collector_spool_bytes", collector="ab12") == 3145728
    assert found.value("winback_collector_requests_total", collector="ab12") == 7
    assert found.value("winback_collector_events_total", collector="ab12") == 30
    assert found.value("winback_collector_refused_total", collector="ab12") == 2
    assert found.value("winback_collector_damaged_bytes", collector="ab12") == 0


def test_lost_events_of_a_spool_are_an_alarm(healthy: State) -> None:
    Collectors(healthy.scripts, healthy.keys).sign("ab12", now_ms(healthy), Figures(damaged_bytes=70))
    report(healthy, collector="b")
    (finding,) = found(healthy)
    assert (finding.mark, "collectors" in failing([finding])) == ("fail", True)
    assert finding.text == "collector ab12 has lost events: 70 bytes of its spool can't be read"
