"""`winback up` and the roles that it starts."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.delivery.settings import DeliverySettings
from tests.support.processes import Terminal
from winback.cli import up as up_module
from winback.cli.up import up
from worker.errors import StartError
from worker.settings import Settings
from worker.settings.generated_secrets import kept_secret
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.roles import roles


def test_the_roles_are_the_commands_that_the_manual_names() -> None:
    celery = f"{sys.executable} -m worker.celery_support.lean_celery"
    quiet = "--without-gossip --without-mingle"
    assert {role.name: " ".join(role.argv) for role in roles(Settings())} == {
        "ingest": f"{sys.executable} -m winback ingest",
        "sweep": f"{celery} worker -Q winback.sweep -P solo -n sweep@%h {quiet}",
        "recover": f"{celery} worker -Q winback.recover -n recover@%h {quiet}",
        "beat": f"{celery} beat",
        "flower": f"{celery} flower",
    }


@pytest.mark.xdist_group("valkey")
def test_celery_prints_no_banner(empty_directory: Path, valkey: EmbeddedValkey) -> None:
    made_up = {"WINBACK_REDIS_URL": valkey.url, "WINBACK_IDENTITY_SECRET": "a secret of the tests"}
    (sweep,) = (role for role in roles(Settings(), made_up) if role.name == "sweep")
    env = {**os.environ, **sweep.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        sweep.argv, env=env, cwd=empty_directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if " ready." in line:
                break
        process.terminate()
        process.stdout.read()
    assert " ready." in said[-1]
    assert not [line for line in said if "[config]" in line or "[queues]" in line]


def test_recover_role_can_finish_its_attempts_before_a_kill() -> None:
    settings = Settings()
    (recover,) = (role for role in roles(settings, {"KEY": "value"}) if role.name == "recover")
    assert recover.grace_s > settings.delivery.timeout.total_seconds()
    assert recover.env["KEY"] == "value"


@pytest.fixture
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory and an environment without any settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("WINBACK_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_live_mode_without_the_keys_starts_nothing(empty_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINBACK_DELIVERY__MODE", "live")
    with pytest.raises(
        StartError, match=r"^delivery\.public_api_key: is missing.*\ndelivery\.private_secret_key: is mis"
    ):
        up()
    assert list(empty_directory.iterdir()) == []


def test_a_server_of_ones_own_needs_a_secret_of_ones_own(
    empty_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINBACK_REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(StartError, match=r"^identity_secret: is missing; set WINBACK_IDENTITY_SECRET"):
        up()
    assert list(empty_directory.iterdir()) == []


@pytest.mark.usefixtures("empty_directory")
def test_unknown_roles_and_empty_choices_are_one_line_each() -> None:
    with pytest.raises(StartError, match=r"^mail: no such role; the roles are ingest, recover, sweep, flower, beat$"):
        up(without=["mail"])
    with pytest.raises(StartError, match="no role is left"):
        up(only=["beat"], without=["beat"])


def test_generated_secret_is_readable_only_by_its_owner(empty_directory: Path) -> None:
    file = empty_directory / "var" / "identity_secret"
    secret = kept_secret(file)
    assert len(secret) == 64
    assert file.stat().st_mode & 0o777 == 0o600
    assert kept_secret(file) == secret
    file.write_text("\n")
    with pytest.raises(StartError, match=rf"^{file}: is empty: put the old secret back"):
        kept_secret(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(
        StartError, match=rf"^{file}: the identity secret can't be kept there .*WINBACK_IDENTITY_SECRET$"
    ):
        kept_secret(file)


def test_second_start_in_a_directory_is_refused_silently(
    empty_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("worker.supervision.directory_lock.LOCK_WITHIN_S", 0.0)
    first = EmbeddedValkey(empty_directory / "var" / "valkey")
    first.lock_directory()
    with pytest.raises(StartError, match=r"another embedded Valkey is using it: stop that one"):
        up()
    assert capsys.readouterr().out == ""
    assert [path.name for path in (empty_directory / "var").iterdir()] == ["valkey"]
    first.stop()
    second = EmbeddedValkey(empty_directory / "var" / "valkey")
    second.lock_directory()
    second.stop()


def test_flower_password_reaches_flower_and_terminal_but_no_log(
    empty_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given_to = [
        role.name
        for role in up_module._with_login(roles(Settings()), "winback:pass")
        if "winback:pass" in role.env.values()
    ]
    assert given_to == ["flower"]
    up_module._print_banner(Settings(), None, ["flower"], "winback:pass")
    assert "pass" not in capsys.readouterr().out.replace("password", "")
    assert (empty_directory / "var" / "flower_login").read_text() == "winback:pass\n"
    assert (empty_directory / "var" / "flower_login").stat().st_mode & 0o777 == 0o600
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    up_module._print_banner(Settings(), None, ["flower"], "winback:pass")
    assert terminal.getvalue().count("user winback, password pass") == 1


def test_banner_shows_the_endpoint_and_no_password(empty_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = Settings(
        redis_url="redis://:hidden@example.test:6379/0",
        delivery=DeliverySettings(mode="live", endpoint="https://api.example.test/external"),
    )
    up_module._print_banner(live, None, ["beat"], None)
    up_module._print_banner(Settings(), EmbeddedValkey(empty_directory, port=6391), ["beat"], None)
    said = capsys.readouterr().out
    assert "live: requests go to https://api.example.test/external" in said
    assert "shadow: no request is sent" in said
    assert "export WINBACK_REDIS_URL=redis://127.0.0.1:6391/0" in said
    assert "export WINBACK_IDENTITY_SECRET=$(cat var/identity_secret)" in said
    assert "hidden" not in said


@pytest.mark.usefixtures("empty_directory")
def test_up_restarts_with_the_same_data_and_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINBACK_INGEST__READ_TIMEOUT", "100ms")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "winback", "up", "--only", "ingest", "--valkey-port", str(port)]
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().split(maxsplit=1) == ["mode", "shadow: no request is sent\n"]
            assert any(line.startswith("ingest   | {") and '"ready"' in line for line in process.stdout)
            assert any(line == "winback  | everything is up: ingest\n" for line in process.stdout)
            process.terminate()
            rest = process.stdout.read()
        assert process.returncode == 0, rest
        assert '"stopped"' in rest
    # Another secret: ingest refuses it, and `up` reports this.
    env = {**os.environ, "WINBACK_IDENTITY_SECRET": "another secret than before"}
    refused = subprocess.run(command, env=env, check=False, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1
    assert refused.stderr.startswith("ingest refused to start (exit code 2); its last lines:\n")
    assert "another secret than before" not in refused.stdout + refused.stderr
