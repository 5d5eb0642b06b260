import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from winback.cli import config
from worker.errors import StartError
from worker.settings import Settings
from worker.settings.keys import leaves

SECRETS = {
    "WINBACK_REDIS_URL": "redis://user:hunter2@h:6379/0?password=hunter2",
    "WINBACK_BROKER_URL": "amqp://user:hunter2@a//;amqp://user:hunter2@b//",
    "WINBACK_IDENTITY_SECRET": "hunter2-hunter2-hunter2",
    "WINBACK_ENCRYPTION_KEYS": b"hunter2, 32 characters of base64".hex(),
    "WINBACK_DELIVERY__PUBLIC_API_KEY": "hunter2",
    "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "hunter2",
    "WINBACK_FLOWER__BASIC_AUTH": "user:hunter2",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, **env: str) -> str:
    app = typer.Typer()
    app.command()(config.check)
    app.command()(config.show)
    result = CliRunner().invoke(app, arguments, env=env, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.usefixtures("folder")
def test_check_prints_ok_in_one_line() -> None:
    assert run("check", **SECRETS) == "ok: no winback.toml, 7 from the environment, mode shadow\n"


@pytest.mark.usefixtures("folder")
def test_check_lists_missing_settings_and_their_roles() -> None:
    assert run("check").splitlines() == [
        "ok: no winback.toml, 0 from the environment, mode shadow",
        (
            "redis_url: is missing; set WINBACK_REDIS_URL, like redis://localhost:6379/0; "
            "needed by every role; without it, `winback up` runs a server of its own"
        ),
        (
            "identity_secret: is missing; set WINBACK_IDENTITY_SECRET to the secret of this server's data, or for a "
            "new server to at least 16 characters that never change (openssl rand -hex 32); needed by ingest, sweep "
            "and recover; `winback up` generates one for its own server"
        ),
        "delivery.public_api_key, delivery.private_secret_key: not set; needed only by recover in mode live",
    ]


def test_check_names_the_secret_that_up_generated(folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "identity_secret").write_text("hunter2-hunter2-hunter2\n")
    said = run("check", WINBACK_REDIS_URL="redis://127.0.0.1:6390/0")
    assert "identity_secret: from var/identity_secret, which winback up generated for its own server\n" in said
    assert "is missing" not in said
    assert "hunter2" not in said
    assert "identity_secret: is missing" in run("check", WINBACK_REDIS_URL="redis://shop.example:6379/0")


@pytest.mark.usefixtures("folder")
def test_check_lists_the_missing_key_of_one_role() -> None:
    partly = {**SECRETS, "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": ""}
    assert run("check", **partly).splitlines()[1:] == [
        "delivery.private_secret_key: not set; needed only by recover in mode live"
    ]


def test_check_names_the_file_that_it_read(folder: Path) -> None:
    (folder / "shop.toml").write_text('[delivery]\nmode = "shadow"')

    assert run("check", WINBACK_CONFIG="shop.toml").startswith("ok: shop.toml, 0 from the environment, mode shadow")


def test_check_ends_with_one_line_for_each_problem(folder: Path) -> None:
    (folder / "winback.toml").write_text('[delivery]\nmode = "loud"\ntimeout = 3')

    with pytest.raises(StartError) as stopped:
        run("check")

    assert [line.partition(":")[0] for line in str(stopped.value).splitlines()] == [
        "delivery.mode (winback.toml)",
        "delivery.timeout (winback.toml)",
    ]


@pytest.mark.usefixtures("folder")
def test_check_does_not_call_live_settings_without_keys_ok() -> None:
    with pytest.raises(StartError, match=r"delivery\.private_secret_key: is missing"):
        run("check", WINBACK_DELIVERY__MODE="live", WINBACK_DELIVERY__PUBLIC_API_KEY="key")


def test_show_lists_every_setting_with_its_value_and_source(folder: Path) -> None:
    (folder / "winback.toml").write_text(
        '[delivery]\ntimeout = "90s"\n[detection.idle_by_platform.ios]\ncheckout = "20m"'
    )

    shown = json.loads(run("show", "--json", WINBACK_REDIS_URL="redis://h/0", WINBACK_WORKER__CONCURRENCY="8"))

    assert list(shown) == [".".join(path) for path in leaves(Settings)]
    assert shown["redis_url"] == {"value": "redis://h/0", "source": "WINBACK_REDIS_URL"}
    assert shown["broker_url"] == {"value": "redis://h/1", "source": "redis_url"}
    assert shown["worker.concurrency"] == {"value": 8, "source": "WINBACK_WORKER__CONCURRENCY"}
    assert shown["delivery.timeout"] == {"value": "90s", "source": "winback.toml"}
    assert shown["detection.idle_by_platform.ios.checkout"] == {"value": "20m", "source": "winback.toml"}
    assert shown["detection.idle_by_platform.ios.payment"] == {"value": None, "source": "default"}
    assert shown["detection.idle.checkout"] == {"value": "15m", "source": "default"}
    assert shown["detection.exit"] == {"value": "off", "source": "default"}
    assert shown["contact.needs_cart"] == {"value": ["product_selection"], "source": "default"}
    assert shown["identity_secret"] == {"value": None, "source": "default"}


def test_the_table_has_a_whole_line_for_each_setting(folder: Path) -> None:
    (folder / "winback.toml").write_text('[detection.idle_by_platform.ios]\ncheckout = "20m"')

    lines = [line.split() for line in run("show", WINBACK_DELIVERY__ENDPOINT="http://[::1]:80/[red]x").splitlines()]

    assert lines[0] == ["key", "value", "source"]
    assert ["delivery.endpoint", "http://[::1]:80/[red]x", "WINBACK_DELIVERY__ENDPOINT"] in lines
    assert ["detection.idle_by_platform.ios.checkout", "20m", "winback.toml"] in lines
    assert ["identity_secret", "-", "default"] in lines
    assert all(len(line) == 3 for line in lines)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("arguments", [["show"], ["show", "--json"], ["check"]])
def test_no_secret_is_shown(arguments: list[str]) -> None:
    shown = run(*arguments, **SECRETS)
    assert "hunter2" not in shown
    assert SECRETS["WINBACK_ENCRYPTION_KEYS"] not in shown


@pytest.mark.usefixtures("folder")
def test_masked_secret_shows_only_that_it_is_set() -> None:
    shown = json.loads(run("show", "--json", **SECRETS))

    assert shown["redis_url"]["value"] == "redis://user:****@h:6379/0?password=****"
    assert shown["broker_url"]["value"] == "amqp://user:****@b//"
    secrets = (
        "identity_secret",
        "encryption_keys",
        "delivery.public_api_key",
        "delivery.private_secret_key",
        "flower.basic_auth",
    )
    assert {shown[key]["value"] for key in secrets} == {"****"}


def test_show_names_the_source_of_the_file(folder: Path) -> None:
    (folder / "winback.toml").write_text("")
    assert json.loads(run("show", "--json"))["config"] == {"value": "winback.toml", "source": "default"}
    (folder / "trial.toml").write_text("")
    shown = json.loads(run("show", "--json", WINBACK_CONFIG="trial.toml"))
    assert shown["config"] == {"value": "trial.toml", "source": "WINBACK_CONFIG"}
