"""What `winback doctor` says of roles and set-aside events."""

import pytest

from state import deployment
from tests.support.cli_support import ROLES, doctor, last_seen, marks
from tests.support.durations import MINUTE_MS
from tests.support.examining import env, folder, healthy
from worker.runtime import State

__all__ = ["env", "folder", "healthy"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_is_silent_fails(healthy: State, env: dict[str, str], role: str) -> None:
    last_seen(healthy, role, 5 * MINUTE_MS)
    code, found = doctor(env)

    assert code == 1
    assert marks(found, "fail") == {role: "fail"}
    assert found[role].text.startswith("silent for 5 min: ")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_was_never_there_fails(healthy: State, env: dict[str, str], role: str) -> None:
    healthy.client.delete(healthy.keys.heartbeat(role))
    _, found = doctor(env)

    assert marks(found, "fail") == {role: "fail"}
    assert found[role].text.startswith("not seen within a day: ")


def test_an_edit_that_the_sweep_cannot_use_fails(healthy: State, env: dict[str, str]) -> None:
    deployment.report(healthy.scripts, healthy.keys, "detection", "detection.exit (winback.toml): 'soon' is not ...")
    code, found = doctor(env)

    assert code == 1
    assert marks(found, "fail") == {"thresholds": "fail"}


def test_events_that_were_set_aside_lately_are_a_note(healthy: State, env: dict[str, str]) -> None:
    healthy.streams.reject(b"1-0", [("type", "is missing")], applied=False)
    code, found = doctor(env)

    assert code == 0
    assert marks(found, "note", "warn", "fail") == {"rejected": "note"}
    assert "winback rejected list" in found["rejected"].hint
