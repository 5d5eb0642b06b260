"""How `winback demo` ends if it is interrupted."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.processes import until
from winback.cli import commands
from winback.cli import demo as module
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
    assert out.splitlines()[-1] == "stopped before its end: nobody was called, nothing is left running"
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
