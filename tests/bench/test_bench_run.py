"""What a run of the benches leaves out, and its lines of results."""

import pytest

from bench.alternatives.throughput import FED, GOALS, OURS, PLAIN, RAW, figures
from bench.alternatives.workload import Cost, fields_of, middle, sessions_in
from bench.extras import needs
from bench.shop_log import shop_log


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    needs.cache_clear()


def test_missing_tool_is_skipped_with_an_install_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert not needs("redis-benchmark")
    said = capsys.readouterr().err
    assert "LEFT OUT: what needs redis-benchmark" in said
    assert "apt-get install redis-tools" in said


def test_ratios_compare_lines_of_one_round() -> None:
    found = {
        OURS: [Cost(100.0, 5.0, 4.0, 300.0), Cost(90.0, 5.0, 4.0, 300.0)],
        "PostgreSQL upserts": [Cost(50.0, 5.0, 4.0, 300.0), Cost(30.0, 5.0, 4.0, 300.0)],
    }
    (line,) = [figure for figure in figures(found) if figure.name == "ingest against PostgreSQL upserts"]
    assert line.rounds == (2.0, 3.0)
    assert line.goal is not None
    assert line.goal.value == GOALS["PostgreSQL upserts"]
    assert line.met


def test_empty_lines_are_left_out() -> None:
    cost = Cost(100.0, 5.0, 4.0, 300.0)
    names = {one.name for one in figures({OURS: [cost], RAW: [cost], f"{PLAIN}{FED}": [cost], "Bytewax": [cost]})}
    assert f"{RAW}, processor time of the clients" not in names
    assert "Bytewax, processor time of the server" not in names
    assert f"{PLAIN}{FED}, for a waiting session" not in names
    assert f"{OURS}, for a waiting session" in names


def test_alternatives_keep_event_contents() -> None:
    log = shop_log(100, 1000, ends_ms=1_764_000_000_000)
    known = next(logged.event for logged in log if "customer" in logged.event and "cart" in logged.event)
    assert {"stage", "platform", "at", "cart", "full_name", "phone_number"} <= set(fields_of(known))
    assert sessions_in(log) == 100
    part = middle(log, 500)
    assert len(part) == 500
    assert part[0] == log[250]
