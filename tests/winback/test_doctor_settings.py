"""`winback doctor` with broken or missing settings."""

import json
from pathlib import Path

import pytest

from tests.support.cli_support import dead_port, doctor, marks, run
from tests.support.examining import env, folder, healthy

__all__ = ["env", "folder", "healthy"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


def test_unloadable_settings_fail_and_skip_other_checks(folder: Path) -> None:
    (folder / "winback.toml").write_text('[delivery]\ntimeout = 3\n[contact]\ncap = "x"\n')
    code, shown = run("doctor", "--json")
    found = json.loads(shown)["checks"]

    assert code == 1
    assert [(check["name"], check["mark"], check["text"].split(" ")[0]) for check in found[:2]] == [
        ("settings", "fail", "delivery.timeout"),
        ("settings", "fail", "contact.cap"),
    ]
    assert [check["name"] for check in found[2:]] == ["not checked"]


@pytest.mark.usefixtures("healthy")
def test_broken_threshold_fails_and_the_other_checks_run(env: dict[str, str], folder: Path) -> None:
    (folder / "winback.toml").write_text('[detection]\nexit = "soon"\n')
    code, found = doctor(env)

    assert code == 1
    assert marks(found, "fail") == {"settings": "fail"}
    assert found["server"].mark == "ok"
    assert not {"secrets", "law"} & found.keys()


def test_without_the_address_of_the_server_that_is_what_fails() -> None:
    _, found = doctor({"WINBACK_DELIVERY__ENDPOINT": f"http://127.0.0.1:{dead_port()}/"})

    assert found["server"].text.startswith("redis_url: is missing; ")
    assert found["broker"].text == "broker_url: is missing"
