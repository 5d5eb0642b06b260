from pathlib import Path

import pytest

from worker.errors import StartError
from worker.settings import load
from worker.settings.partial import load_lenient


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", ["[detection", '[delivery]\ntimeout = "never"'])
def test_unusable_file_is_ignored_if_the_environment_is_enough(folder: Path, text: str) -> None:
    (folder / "winback.toml").write_text(text)

    settings, problem = load_lenient({"WINBACK_REDIS_URL": "redis://h/0", "WINBACK_NAMESPACE": "shop"})

    assert (settings.redis_url, settings.namespace) == ("redis://h/0", "shop")
    assert problem is not None
    assert "winback.toml" in problem


def test_environment_beats_a_partly_ignored_file(folder: Path) -> None:
    (folder / "winback.toml").write_text('redis_url = "redis://file/0"\nnamespace = "file"\n[detection]\nexit = "x"\n')

    settings, _ = load_lenient({"WINBACK_NAMESPACE": "shop"})

    assert (settings.redis_url, settings.namespace) == ("redis://file/0", "shop")


def test_settings_without_a_server_are_refused_with_the_reason(folder: Path) -> None:
    (folder / "winback.toml").write_text('redis_url = "redis://file/0"\n[detection')

    with pytest.raises(StartError, match=r"winback\.toml:2:11: not TOML"):
        load_lenient({})


def test_settings_in_order_are_those_that_every_role_loads(folder: Path) -> None:
    (folder / "winback.toml").write_text('namespace = "shop"\n[detection]\nexit = "9m"\n')

    assert load_lenient({}) == (load({}), None)
