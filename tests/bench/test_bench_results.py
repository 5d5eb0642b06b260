"""The stored and displayed results of a run of the benches."""

import io
import json
from pathlib import Path

from rich.console import Console

from bench.figures import Figure, Goal, ratio
from bench.results import figures_of, keep, machine, to_data
from bench.table import markdown, spread, table

RATE = Figure("writing", "ingest", (80_000.0, 91_234.5, 70_000.0), "events/s", note="one process")
RATIO = ratio("writing", "ingest against plain", [80.0, 90.0, 66.0], [100.0, 90.0, 100.0], Goal(">=", 1.0))
SWEEP = Figure("sweep", "an empty sweep", (13.3,), "ms", Goal("<=", 20.0))
MACHINE = machine("Valkey 9.1.0")


def shown(figures: list[Figure]) -> str:
    text = io.StringIO()
    Console(width=200, file=text).print(table(figures, MACHINE))
    return text.getvalue()


def test_a_run_is_kept_with_every_round_and_read_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    keep([RATE, SWEEP], MACHINE, replaces=None, to=file)
    data = json.loads(file.read_text())
    assert data["figures"][0]["rounds"] == [80_000, 91_234, 70_000]  # five digits
    assert data["figures"][1]["goal"] == {"sign": "<=", "value": 20.0}
    assert data["figures"][1]["met"] is True
    assert data["figures"][0]["met"] is None
    assert figures_of(data)[1] == SWEEP


def test_measuring_one_part_replaces_only_that_part(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    keep([RATE, SWEEP], MACHINE, replaces=None, to=file)
    faster = Figure("writing", "ingest", (100_000.0,), "events/s")
    keep([faster], MACHINE, replaces=["writing"], to=file)
    assert figures_of(json.loads(file.read_text())) == [SWEEP, faster]


def test_the_machine_is_described() -> None:
    assert MACHINE["processors"] >= 1
    assert MACHINE["memory_gb"] > 0
    assert MACHINE["server"] == "Valkey 9.1.0"
    assert all(MACHINE[name] for name in ("date", "processor", "kernel", "python"))
    assert json.loads(json.dumps(to_data([RATE], MACHINE)))["machine"] == MACHINE


def test_table_shows_medians_ranges_and_goals() -> None:
    text = shown([RATE, RATIO, SWEEP])
    assert "80,000 events/s (70,000 to 91,234)" in text
    (line,) = [line for line in text.splitlines() if "ingest against plain" in line]
    assert "0.8 (0.66 to 1)" in line
    assert ">= 1" in line
    assert "no" in line
    (line,) = [line for line in text.splitlines() if "an empty sweep" in line]
    assert "13.3 ms" in line
    assert "yes" in line


def test_a_page_shows_the_same() -> None:
    assert markdown([RATE]).splitlines()[-1] == f"| ingest (one process) | {spread(RATE)} |  |  |"
    assert markdown([RATIO]).splitlines()[-1] == f"| ingest against plain | {spread(RATIO)} | >= 1 | no |"
