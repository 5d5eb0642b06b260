"""Commands start fast: each imports no large library that it doesn't need. The test counts modules, not time."""

import os
import subprocess
import sys
from pathlib import Path

import pycountry
import pytest

from detectors.normalize.countries import country
from detectors.normalize.country_codes import ALPHA_2
from winback.cli import commands

ROOT = Path(__file__).parents[2]
LARGE = {
    "celery",
    "cryptography.hazmat",
    "email_validator",
    "flower",
    "holidays",
    "httpx",
    "iso4217",
    "kombu",
    "langcodes",
    "phonenumbers.tzdata",
    "prometheus_client",
    "pycountry",
    "starlette",
    "structlog",
    "uvicorn",
}
NEEDED = {
    "collect": {"starlette", "structlog", "uvicorn"},
    "demo": {"httpx", "iso4217", "langcodes", "pycountry", "starlette", "uvicorn"},
    "ingest": {"structlog"},
    "metrics": {"prometheus_client", "starlette", "structlog", "uvicorn"},
    "outcomes": {"httpx", "structlog"},
    "record": {"structlog"},
    "mock-api": {"iso4217", "langcodes", "pycountry", "starlette", "uvicorn"},
}
"""Libraries that a command needs."""
NOT_IN_A_ROLE = {"cryptography.hazmat", "email_validator", "holidays", "httpx", "iso4217", "langcodes", "pycountry"}
"""Until it makes an attempt, or needs keys."""
EACH_COMMAND = f"""
import os, sys
from winback.cli import commands, terminal  # what most have in common is imported once
for name in commands.COMMANDS:
    sys.stdout.flush()
    if not os.fork():
        commands.load_command(name)
        print(name, *(module for module in {sorted(LARGE)} if module in sys.modules))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""


def printed(*command: str, env: dict[str, str] | None = None) -> str:
    found = subprocess.run(
        [sys.executable, *command], cwd=ROOT, check=True, capture_output=True, text=True, env=env, timeout=300
    )
    return found.stdout


def test_each_command_imports_only_the_libraries_it_needs() -> None:
    found = {name: set(modules) for name, *modules in map(str.split, printed("-c", EACH_COMMAND).splitlines())}

    assert set(found) == set(commands.COMMANDS)
    unneeded = {name: sorted(modules - NEEDED.get(name, set())) for name, modules in found.items()}
    assert {name: modules for name, modules in unneeded.items() if modules} == {}


def test_the_list_of_commands_imports_none_of_them() -> None:
    script = (
        "import sys; from winback.cli import commands; sys.argv[1:] = ['--help']; commands.run(); print(*sys.modules)"
    )

    loaded = set(printed("-c", script).splitlines()[-1].split())

    assert "typer" in loaded
    assert not {"redis", "pydantic", "worker.settings", *LARGE} & loaded
    assert not {f"winback.cli.{name.replace('-', '_')}" for name in commands.COMMANDS} & loaded


def test_the_shipped_settings_are_read_without_large_libraries() -> None:
    script = "import sys; from worker.settings import load; load({}); print(*sys.modules)"

    assert not LARGE & set(printed("-c", script).split())


@pytest.mark.parametrize(("name", "line"), commands.COMMANDS.items())
def test_a_command_has_one_line_that_fits_eighty_columns(name: str, line: str) -> None:
    assert len(line) <= 62, "the frame and the longest name take 18 columns"
    assert len(name) <= 11
    assert line[0].isupper()
    assert line.endswith(".")


def test_the_list_of_commands_is_grouped_by_purpose() -> None:
    shown = printed("-m", "winback", "--help", env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"})
    lines = [line for line in shown.splitlines() if line.startswith("│ ")]

    assert [group for group in commands.GROUPS if f"─ {group} ─" in shown] == list(commands.GROUPS)
    for name, line in commands.COMMANDS.items():
        assert [each for each in lines if each.startswith(f"│ {name} ") and line in each]


def test_country_codes_are_those_of_the_standard() -> None:
    assert {found.alpha_2 for found in pycountry.countries} == ALPHA_2
    assert {code: country(code) for code in ALPHA_2} == {code: code for code in ALPHA_2}


def test_celery_roles_load_no_plugins_and_no_rich() -> None:
    script = (
        "import runpy, sys; sys.argv[1:] = ['worker', '--help']\n"
        "try: runpy.run_module('worker.celery_support.lean_celery', run_name='__main__', alter_sys=True)\n"
        "except SystemExit: print(*(name for name, found in sys.modules.items() if found))"
    )
    env = os.environ | {"WINBACK_REDIS_URL": "redis://127.0.0.1:1/0"}

    loaded = set(printed("-c", script, env=env).splitlines()[-1].split())

    assert "celery" in loaded
    assert not {"rich", "click_repl", "flower", "prompt_toolkit", *NOT_IN_A_ROLE} & loaded
