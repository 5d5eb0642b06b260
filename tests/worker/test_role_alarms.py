"""Alarms of `winback up` about roles that don't run."""

import json

import pytest

from worker.supervision.role_alarms import RoleAlarms


@pytest.fixture
def alarms() -> RoleAlarms:
    return RoleAlarms(after_s=10, steady_s=10, again_s=60)


def events(alarms: RoleAlarms, now: float) -> list[str]:
    return [told.event for told in alarms.due_alarms(now)]


def test_role_down_for_long_is_logged_once_and_repeated(alarms: RoleAlarms) -> None:
    alarms.started("sweep", 0)
    alarms.ended("sweep", 100, "exit code 75")
    assert events(alarms, 109) == []
    assert events(alarms, 110) == ["alarm"]
    assert events(alarms, 169) == []
    assert events(alarms, 170) == ["alarm_firing"]


def test_role_that_starts_and_ends_stays_down(alarms: RoleAlarms) -> None:
    for second in range(0, 12, 3):
        alarms.started("sweep", second)
        alarms.ended("sweep", second + 2, "exit code 75")
    assert events(alarms, 11) == []
    assert events(alarms, 12) == ["alarm"]


def test_role_that_runs_again_ends_its_alarm_once(alarms: RoleAlarms) -> None:
    alarms.ended("sweep", 0, "signal 9, Killed")
    assert events(alarms, 10) == ["alarm"]
    alarms.started("sweep", 20)
    assert events(alarms, 29) == []
    assert events(alarms, 30) == ["alarm_resolved"]
    assert events(alarms, 200) == []


def test_role_that_is_soon_back_causes_no_alarm(alarms: RoleAlarms) -> None:
    alarms.ended("sweep", 0, "signal 9, Killed")
    alarms.started("sweep", 1)
    assert events(alarms, 11) == []
    alarms.ended("sweep", 50, "signal 9, Killed")
    assert events(alarms, 59) == []


def test_role_that_ran_for_long_is_down_from_its_last_end(alarms: RoleAlarms) -> None:
    alarms.ended("sweep", 0, "signal 9, Killed")
    assert events(alarms, 10) == ["alarm"]
    alarms.started("sweep", 20)
    alarms.ended("sweep", 100, "signal 9, Killed")
    assert events(alarms, 105) == []
    assert events(alarms, 110) == ["alarm"]


def test_alarm_line_is_json_like_those_of_the_roles(alarms: RoleAlarms) -> None:
    alarms.ended("sweep", 0, "exit code 75: it waits for a server")
    (told,) = alarms.due_alarms(34)
    line = json.loads(told.line())
    assert (line["event"], line["level"], line["alarm"], line["for_s"]) == ("alarm", "error", "roles", 34)
    assert line["text"].startswith("sweep has not run for 34 s (exit code 75: it waits for a server)")


def test_role_that_runs_again_is_awaited_until_it_is_steady(alarms: RoleAlarms) -> None:
    alarms.ended("sweep", 0, "exit code 0")
    alarms.started("sweep", 0.2)
    assert events(alarms, 10.1) == []
    assert events(alarms, 10.3) == []
    alarms.ended("sweep", 15, "exit code 0")
    alarms.started("sweep", 15.2)
    alarms.ended("sweep", 16, "exit code 0")
    assert events(alarms, 25) == ["alarm"]
