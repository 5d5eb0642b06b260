"""A real Prometheus with the project's files: each panel gets an answer, and alerts fire for what they name."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from reference_pages.dashboards import DASHBOARDS
from tests.servers.programs import Program, found
from tests.support.cli_support import environment, make_healthy
from tests.support.waiting import eventually
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.valkey_process import free_port

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/winback.rules.yml"
PANELS = [
    (panel.title, query.expression)
    for dashboard in DASHBOARDS
    for row in dashboard.rows
    for panel in row.panels
    for query in panel.queries
]
ALWAYS = ("State server", "Sending", "Not applied yet", "Outreaches", "Contacts", "Silent sessions", "Privacy requests")
"""Panels that have a value in an idle shop, too."""


HEALTHY = {
    'up{job="winback"}': "1x120",
    "winback_up": "1x120",
    "winback_sessions_overdue_seconds": "2x120",
    "winback_events_lag_seconds": "0x120",
    "winback_events_lost_total": "0x120",
    "winback_outreaches_oldest_due_seconds": "0x120",
    'winback_sending{state="on"}': "1x120",
    'winback_sending{state="failing"}': "0x120",
    'winback_outreaches{state="unknown"}': "0x120",
    'winback_outreaches{state="dead"}': "0x120",
    "winback_server_memory_bytes": "10x120",
    "winback_server_memory_limit_bytes": "100x120",
    'winback_collector_up{collector="1"}': "1x120",
    'winback_collector_behind_seconds{collector="1"}': "0x120",
    'winback_collector_damaged_bytes{collector="1"}': "0x120",
    'winback_feed_missed{group="shop"}': "0x120",
    "winback_webhooks_dropped_total": "0x120",
}
FIRED: dict[str, dict[str, str]] = {
    "WinbackMetricsMissing": {"winback_up": "", 'up{job="winback"}': "0x120"},
    "WinbackDown": {"winback_up": "0x120"},
    "WinbackCheckFailing": {'winback_alarm{alarm="orders",level="fail"}': "1x120"},
    "WinbackCheckWarning": {'winback_alarm{alarm="orders",level="warn"}': "1x120"},
    "WinbackDetectionLate": {"winback_sessions_overdue_seconds": "61x120"},
    "WinbackIngestLate": {"winback_events_lag_seconds": "61x120"},
    "WinbackEventsLost": {"winback_events_lost_total": "0x110 5x10"},
    "WinbackDispatchLate": {"winback_outreaches_oldest_due_seconds": "601x120"},
    "WinbackSendingStopped": {'winback_sending{state="failing"}': "1x120"},
    "WinbackOutcomeUnknown": {'winback_outreaches{state="unknown"}': "1x120"},
    "WinbackDeadOutreaches": {'winback_outreaches{state="dead"}': "1x120"},
    "WinbackMemoryHigh": {"winback_server_memory_bytes": "86x120"},
    "WinbackCollectorBehind": {'winback_collector_up{collector="1"}': "0x120"},
    "WinbackSpoolDamaged": {'winback_collector_damaged_bytes{collector="1"}': "7x120"},
    "WinbackRecordingFails": {"winback_recording_failing": "1x120"},
    "WinbackOutcomesUnread": {"winback_webhooks_dropped_total": "0x110 5x10"},
}
"""The series that differ from a healthy shop, by alert; empty values: the series is missing."""


@pytest.fixture(scope="module")
def prometheus(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start `winback metrics` and a Prometheus that scrapes it each second; return its address."""
    directory = tmp_path_factory.mktemp("prometheus")
    scraped, served = free_port(), free_port()
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(RULES)]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{scraped}"]
    file = directory / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    metrics = [sys.executable, "-m", "winback", "metrics", "--port", str(scraped)]
    server = [
        found("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{served}",
    ]
    with (
        Program(directory / "metrics", metrics, environment(valkey.url)),
        Program(directory / "server", server),
    ):
        yield f"http://127.0.0.1:{served}"


def answer(address: str, expression: str) -> Any:  # noqa: ANN401 - JSON
    reply = httpx.get(f"{address}/api/v1/query", params={"query": expression}, timeout=10)
    return reply.json()


def has_value(address: str, expression: str) -> bool:
    try:
        return bool(answer(address, expression)["data"]["result"])
    except (httpx.TransportError, KeyError, ValueError):
        return False


def test_rules_and_configuration_are_valid() -> None:
    checked = subprocess.run(
        [found("promtool"), "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, "16 rules found" in checked.stdout) == (0, True), checked.stderr


@pytest.mark.parametrize("alert", FIRED)
def test_alert_fires_for_what_it_names(alert: str, tmp_path: Path) -> None:
    series = HEALTHY | dict(FIRED[alert])
    assert promtool(tmp_path, series, f'ALERTS{{alertname="{alert}",alertstate="firing"}}', fires=True) == ""


def test_healthy_shop_raises_no_alert(tmp_path: Path) -> None:
    assert promtool(tmp_path, HEALTHY, "ALERTS", fires=False) == ""


def test_each_alert_is_tested() -> None:
    assert FIRED.keys() == {rule["alert"] for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]}


def promtool(directory: Path, series: Mapping[str, str], expression: str, *, fires: bool) -> str:
    """Check after two hours whether an expression has any series; return what promtool says if that is wrong."""
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items() if values],
        "promql_expr_test": [
            {
                "expr": f"count({expression}) > bool 0 or vector(0)",
                "eval_time": "2h",
                "exp_samples": [{"labels": "{}", "value": int(fires)}],
            }
        ],
    }
    file = directory / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}))
    ran = subprocess.run([found("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def test_each_panel_gets_an_answer(prometheus: str, real_state: State) -> None:
    make_healthy(real_state)
    eventually(lambda: has_value(prometheus, "winback_up == 1"), 60)
    eventually(lambda: has_value(prometheus, "winback_outreaches"), 60)
    for title, expression in PANELS:
        found_answer = answer(prometheus, expression)
        assert found_answer["status"] == "success", (title, found_answer)
        assert found_answer["data"]["result"] or title not in ALWAYS, title
