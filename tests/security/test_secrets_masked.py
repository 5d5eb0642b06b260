"""No command prints or logs a secret, with correct, wrong or unreachable settings.

More: test_config_cli.py, test_settings_values.py, test_settings_urls.py (each wrong value), test_logs_hostile.py,
test_up.py.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.exceptions import TyperException
from typer.testing import CliRunner

from tests.support.cli_support import dead_port
from winback.cli.commands import app
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

SECRETS = {
    "WINBACK_IDENTITY_SECRET": "hunter2-identity-secret",
    "WINBACK_ENCRYPTION_KEYS": bytes(range(32)).hex(),
    "WINBACK_DELIVERY__PUBLIC_API_KEY": "hunter2-public-key",
    "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "hunter2-private-key",
    "WINBACK_FLOWER__BASIC_AUTH": "watcher:hunter2-flower",
}
HIDDEN = ("hunter2", "0a0b0c0d", "CgsMDQ")
COMMANDS = (
    "config show",
    "config show --json",
    "config check",
    "doctor",
    "doctor --json",
    "doctor --role ingest",
    "doctor --role flower",
    "status",
    "status --json",
    "report",
    "explain s-1",
    "outreach list",
    "dead list",
    "unknown list",
    "rejected list",
    "pause",
    "optout export",
    "optout check +573001234567",
    "event emit --session s-1 --stage checkout --platform web",
    "forget --session s-1 --yes",
    "rotate-keys",
)
WRONG = {
    "a server that is away": {"WINBACK_REDIS_URL": "redis://user:hunter2@127.0.0.1:{dead}/0"},
    "a broker that is away": {"WINBACK_BROKER_URL": "amqp://user:hunter2@127.0.0.1:{dead}//"},
    "a server of another kind": {"WINBACK_REDIS_URL": "http://user:hunter2@127.0.0.1:{dead}/0"},
    "a URL that is none": {"WINBACK_REDIS_URL": "redis://user:hunter2@127.0.0.1:port/0"},
    "a short secret": {"WINBACK_IDENTITY_SECRET": "hunter2"},
    "keys that are none": {"WINBACK_ENCRYPTION_KEYS": "hunter2"},
    "a key that no header can carry": {"WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "hunter2-\u00e9"},
    "a login that is none": {"WINBACK_FLOWER__BASIC_AUTH": "hunter2"},
    "an endpoint with a password": {"WINBACK_DELIVERY__ENDPOINT": "https://user:hunter2@example.com/"},
    "a variable that is misspelt": {"WINBACK_DELIVERY__PRIVATE_KEY": "hunter2"},
}


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def env(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    return {
        **SECRETS,
        "WINBACK_REDIS_URL": valkey.url,
        "WINBACK_NAMESPACE": "masked",
        "WINBACK_DELIVERY__MODE": "live",
        "WINBACK_DELIVERY__ENDPOINT": f"http://127.0.0.1:{dead_port()}/",
        "WINBACK_FLOWER__PORT": str(dead_port()),
        "NO_COLOR": "1",
    }


def shown(env: dict[str, str], command: str) -> str:
    """Return all output of a command, with its traceback if it ends in one."""
    result = CliRunner().invoke(app, command.split(), env=env)
    ending = "".join(traceback.format_exception(result.exception)) if result.exception else ""
    assert not isinstance(result.exception, TyperException), f"{command}: {result.exception}"
    return result.output + ending


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_shows_a_secret_of_settings_that_are_right(env: dict[str, str], command: str) -> None:
    found = shown(env, command)
    assert not [secret for secret in HIDDEN if secret in found], found


@pytest.mark.parametrize("wrong", [name for name in WRONG if "away" not in name])
@pytest.mark.parametrize("command", ["config show", "config check", "doctor", "status", "explain s-1", "ingest", "up"])
def test_no_command_shows_a_secret_of_settings_that_are_wrong(env: dict[str, str], command: str, wrong: str) -> None:
    found = shown({**env, **WRONG[wrong]}, command)
    assert not [secret for secret in HIDDEN if secret in found], found


AWAY = [(wrong, command) for wrong in WRONG if "away" in wrong for command in ("doctor", "status", "ingest")]


# An ingest needs no broker, and would run.
@pytest.mark.parametrize(("wrong", "command"), [case for case in AWAY if case != ("a broker that is away", "ingest")])
def test_no_command_shows_a_secret_of_a_server_that_is_away(env: dict[str, str], wrong: str, command: str) -> None:
    lost = {name: value.format(dead=dead_port()) for name, value in WRONG[wrong].items()}
    found = shown({**env, **lost}, command)
    assert not [secret for secret in HIDDEN if secret in found], found


def test_the_documents_are_json_all_the_same(env: dict[str, str]) -> None:
    for command in ("config show --json", "doctor --json", "status --json"):
        assert json.loads(CliRunner().invoke(app, command.split(), env=env).output)
