"""The command line as a whole: mistakes are one line, Ctrl-C isn't one, and commands only load their own imports."""

import subprocess
import sys
from pathlib import Path

import pytest

from winback.cli import commands

INTERRUPTED = """
import importlib.abc, os, signal, sys

interrupted_at = sys.argv[1]

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == interrupted_at:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from winback.cli import main
sys.argv[1:] = ["status"]
main()
"""
LOADED = """
import sys
from winback.cli.commands import run
print({"winback.simulation.demo", "winback.simulation.mock_api.app", "celery"} & set(sys.modules))
sys.argv[1:] = ["config", "show", "--help"]
run()
print({"winback.simulation.demo", "winback.simulation.mock_api.app", "celery"} & set(sys.modules))
"""


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["winback", *arguments])
    code = commands.run() or 0
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["boost"], "winback: no such command 'boost'"),
        (["event", "boost"], "winback event: no such command 'boost'"),
        (["statusx"], "winback: no such command 'statusx' (did you mean status?); for help, run winback --help"),
        (["event", "check", "/no/such"], "winback event check: FILE: '/no/such': No such file or directory"),
        (["replay"], "winback replay: FILE: is missing"),
        (["status", "--days", "two"], "winback status: --days: must be a whole number"),
        (["status", "--days", "0"], "winback status: --days: must be at least 1"),
        (["status", "--day"], "winback status: no such option: --day (Possible options: --days)"),
        (["up", "--valkey-port"], "winback: option '--valkey-port' requires an argument"),
        (["event", "emit", "--cart-total", "much"], "winback event emit: --cart-total: must be a number"),
        (
            ["event", "emit", "--platform", "tv"],
            "winback event emit: --platform: 'tv' is not one of 'web', 'ios', 'and",
        ),
        (["mock-api", "--times", "x"], "winback mock-api: --times: must be a whole number"),
    ],
)
def test_invalid_command_line_is_one_line_with_a_hint(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = said(capsys, monkeypatch, *arguments)

    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.endswith(f"; for help, run {line.partition(':')[0]} --help\n")
    assert err.count("\n") == 1


def test_a_missing_setting_is_one_line_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WINBACK_REDIS_URL", raising=False)

    assert said(capsys, monkeypatch, "status") == (
        2,
        "",
        "redis_url: is missing; set WINBACK_REDIS_URL, like redis://localhost:6379/0\n",
    )


@pytest.mark.parametrize("arguments", [[], ["event"], ["rejected"], ["config"]])
def test_a_command_that_is_not_complete_shows_its_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = said(capsys, monkeypatch, *arguments)

    assert (code, err) == (2, "")
    assert "Usage: " in out


@pytest.mark.parametrize("command", commands.COMMANDS)
def test_every_command_is_found_and_has_its_help(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = said(capsys, monkeypatch, command, "--help")

    assert (code, err) == (0, "")
    assert f"Usage: winback {command} " in out


@pytest.mark.parametrize("module", ["winback.cli.commands", "pydantic", "winback.cli.status", "worker.settings"])
def test_ctrl_c_during_an_import_ends_silently(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, module], check=False, capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_no_command_waits_for_what_another_one_is_made_of() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)

    assert done.stdout.startswith("set()\n")
    assert done.stdout.endswith("\nset()\n")
