"""How `winback demo` ends if it is interrupted."""

import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from rich.console import Console

from detectors.lanes import LANES_BY_NAME
from tests.support.processes import until
from winback.cli import commands
from winback.cli import demo as module
from winback.simulation import demo as simulation
from worker.settings import load
from worker.supervision.supervisor import RoleFailedError


@pytest.mark.e2e
@pytest.mark.xdist_group("e2e")
def test_ctrl_c_stops_every_part_with_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "winback", "demo", "--shoppers", "5"]
    env = {**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "200"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("Starting Valkey")
        until(lambda: list(tmp_path.glob("winback-demo-*/valkey/valkey.log")))
        process.send_signal(signal.SIGINT)
        out, err = process.stdout.read(), process.stderr.read()

    assert (process.returncode, err) == (130, "")
    assert out.splitlines()[-1] == "Stopped early. No person was contacted, and no process is left running."
    assert list(tmp_path.glob("winback-demo-*")) == []


@pytest.mark.parametrize(
    "problem", [RoleFailedError("flower keeps dying"), TimeoutError("not every part was up within 40 s")]
)
def test_failed_part_is_reported_without_a_traceback(
    problem: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*_: object, **__: object) -> NoReturn:
        raise problem

    monkeypatch.setattr(module, "running", failing)
    monkeypatch.setattr(sys, "argv", ["winback", "demo"])

    assert commands.run() == 1
    assert capsys.readouterr().err == f"demo: {problem}\n"


@pytest.mark.parametrize("width", [80, 120])
def test_running_demo_fits_the_terminal(width: int) -> None:
    seen: Any = SimpleNamespace(
        lanes={next(iter(LANES_BY_NAME)): 1234},
        outbox=SimpleNamespace(due=123, leased=12),
        counters=SimpleNamespace(silent={}, outcomes={"sent": {"": 123}}, total=lambda _: 12),
    )
    console = Console(width=width, file=StringIO(), record=True)
    console.print(module.progress_view(seen, 2000, 2000, 12.0))
    first, second, third, *_ = console.export_text().splitlines()
    assert first == "  12 s  2000/2000 events, 1234 sessions under way, 123 due, 12 in flight"
    assert second.startswith("  12 sent, 12 cancelled, 12 suppressed")
    assert third.startswith("┏") or width == 80  # many outcomes take a second line


def test_finished_demo_names_the_next_steps() -> None:
    console = Console(width=80, file=StringIO(), record=True)
    module.print_next_steps(console)
    lines = console.export_text().splitlines()
    assert len(lines) == 6  # no step wraps
    assert any("Send your first event" in line for line in lines)
    assert any("winback up" in line for line in lines)


def test_settings_of_the_demo_are_valid(tmp_path: Path) -> None:
    # Half of the settings are texts in the environment, which no type checks.
    env = simulation._environment("redis://127.0.0.1:6390/0", "http://127.0.0.1:8900", {}, "user:password", tmp_path)
    assert load(env, config=tmp_path / "winback.toml").contact.disabled_rules == ("consent_missing",)
