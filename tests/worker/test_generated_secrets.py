"""The identity secret that `winback up` keeps, as doctor finds it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli_support import doctor, environment, listener, make_healthy
from worker.runtime import State
from worker.settings import Settings
from worker.settings.generated_secrets import with_kept_secret
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def env(valkey: EmbeddedValkey) -> Iterator[dict[str, str]]:
    with listener() as (port, _):
        yield environment(valkey.url, WINBACK_DELIVERY__ENDPOINT=f"http://127.0.0.1:{port}/")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


@pytest.mark.usefixtures("healthy")
def test_the_secret_that_up_keeps_is_found_and_named(env: dict[str, str], folder: Path) -> None:
    kept = folder / "var" / "identity_secret"
    kept.parent.mkdir()
    kept.write_text(f"{env['WINBACK_IDENTITY_SECRET']}\n")
    code, found = doctor({**env, "WINBACK_IDENTITY_SECRET": ""})

    assert (code, found["secrets"].mark, found["deployment"].mark) == (0, "ok", "ok")
    assert found["secrets"].text.endswith("; the data was written with var/identity_secret (kept by winback up)")
    assert env["WINBACK_IDENTITY_SECRET"] not in str(found)

    kept.write_text("of another server than this\n")
    code, found = doctor({**env, "WINBACK_IDENTITY_SECRET": ""})
    assert (code, found["secrets"].mark, found["deployment"].mark) == (1, "fail", "fail")
    assert found["secrets"].text.startswith(
        "var/identity_secret (kept by winback up) doesn't belong to this server's data"
    )


@pytest.mark.usefixtures("healthy")
def test_a_secret_of_another_server_is_not_ok(env: dict[str, str]) -> None:
    secret = "a secret of another server"
    code, found = doctor({**env, "WINBACK_IDENTITY_SECRET": secret})

    assert (code, found["secrets"].mark) == (1, "fail")
    assert "commands would recognise no person" in found["secrets"].text
    assert secret not in str(found)


@pytest.mark.usefixtures("real_state")
def test_a_kept_secret_without_data_is_a_note(env: dict[str, str], folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "identity_secret").write_text("of another server than this\n")
    _, found = doctor({**env, "WINBACK_IDENTITY_SECRET": ""})

    assert found["secrets"].mark == "note"
    assert found["secrets"].hint == "set WINBACK_IDENTITY_SECRET if another server is meant"


@pytest.mark.parametrize("text", [None, "\n"])
@pytest.mark.usefixtures("healthy")
def test_without_a_kept_secret_a_missing_one_fails(env: dict[str, str], folder: Path, text: str | None) -> None:
    if text is not None:
        (folder / "var").mkdir()
        (folder / "var" / "identity_secret").write_text(text)
    code, found = doctor({**env, "WINBACK_IDENTITY_SECRET": ""})

    assert (code, found["secrets"].mark) == (1, "fail")
    assert found["secrets"].text.startswith("identity_secret: is missing; set WINBACK_IDENTITY_SECRET")


def test_the_kept_secret_is_not_taken_for_a_server_elsewhere(folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "identity_secret").write_text("a secret for the embedded server\n")
    for url, taken in {"redis://shop.example:6379/0": False, "redis://127.0.0.1:6390/0": True}.items():
        assert with_kept_secret(Settings(redis_url=url))[1] == taken
