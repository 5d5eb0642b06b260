"""`winback status` with invalid settings."""

import json
from pathlib import Path

import pytest

from tests.support.cli_support import run
from tests.support.examining import env, folder, healthy

__all__ = ["env", "folder", "healthy"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


@pytest.mark.usefixtures("healthy")
def test_status_works_with_broken_detection_settings(env: dict[str, str], folder: Path) -> None:
    (folder / "winback.toml").write_text(
        '[detection.idle]\ncheckout = "5"\n[delivery]\nendpoint = "https://a.example/"\n'
    )
    env = {name: value for name, value in env.items() if "ENDPOINT" not in name}

    code, shown = run("status", "--json", **env)
    found = json.loads(shown)

    assert code == 2
    assert [(problem["name"], problem["mark"]) for problem in found["problems"]] == [("settings", "fail")]
    assert found["problems"][0]["text"].startswith("detection.idle.checkout (winback.toml): '5' has no unit")
    assert found["endpoint"] == "a.example"


@pytest.mark.usefixtures("healthy")
def test_invalid_variable_and_file_are_reported_alike(env: dict[str, str], folder: Path) -> None:
    variable = {**env, "WINBACK_REPORT__TIME_ZONE": "America/Bogta"}
    from_variable = run("status", **variable)
    (folder / "winback.toml").write_text('[report]\ntime_zone = "America/Bogta"\n')
    from_file = run("status", **env)

    for code, shown in (from_variable, from_file):
        assert code == 2
        assert "did you mean America/Bogota?" in shown
        assert "outbox" in shown
