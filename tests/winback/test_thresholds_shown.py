"""`status`, `doctor` and `explain` show the thresholds that the sweep applies."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from detectors.settings import DetectionSettings, StageThresholds
from detectors.written_settings import written
from state import applied_thresholds
from tests.support.cli_support import doctor, run
from tests.support.decision_support import Shop
from tests.support.durations import MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.examining import env, folder, healthy
from tests.support.explaining import shop, told
from tests.support.stored_state import now_ms
from worker.runtime import State

__all__ = ["env", "folder", "healthy", "shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")

LATER = DetectionSettings(idle=StageThresholds(checkout=timedelta(minutes=20)))
CHECKOUT = "WINBACK_DETECTION__IDLE__CHECKOUT"


def apply(state: State, **sources: str) -> None:
    applied_thresholds.record(
        state.scripts, state.keys, written(LATER), {f"detection.idle.{name}": text for name, text in sources.items()}
    )


@pytest.mark.usefixtures("healthy")
def test_doctor_is_content_with_the_settings_applied(env: dict[str, str]) -> None:
    _, found = doctor(env)

    assert found["thresholds"].mark == "ok"
    assert found["thresholds"].text.startswith("the sweep applies the settings here, since ")


@pytest.mark.usefixtures("real_state")
def test_doctor_without_any_sweep_does_not_say_ok(env: dict[str, str]) -> None:
    _, found = doctor(env)

    assert found["thresholds"].mark == "note"
    assert found["thresholds"].text.startswith("no sweep has recorded its thresholds yet")


def test_doctor_names_a_variable_that_overrides_the_file(healthy: State, env: dict[str, str], folder: Path) -> None:
    (folder / "winback.toml").write_text('[detection.idle]\ncheckout = "10m"\n')
    apply(healthy)
    _, found = doctor({**env, CHECKOUT: "20m"})

    assert found["thresholds"].mark == "warn"
    assert found["thresholds"].text == (f"detection.idle.checkout: {CHECKOUT} sets 20m and overrides 10m in the file")
    assert CHECKOUT in found["thresholds"].hint


def test_a_variable_that_repeats_the_file_is_no_warning(healthy: State, env: dict[str, str], folder: Path) -> None:
    (folder / "winback.toml").write_text('[detection.idle]\ncheckout = "20m"\n')
    apply(healthy)

    assert doctor({**env, CHECKOUT: "20m"})[1]["thresholds"].mark == "ok"


def test_doctor_compares_the_sweep_with_the_settings_here(healthy: State, env: dict[str, str], folder: Path) -> None:
    (folder / "winback.toml").write_text('[detection.idle]\ncheckout = "10m"\n')
    apply(healthy, checkout=CHECKOUT)
    _, found = doctor(env)

    assert found["thresholds"].mark == "warn"
    assert f") applies 20m ({CHECKOUT}) since " in found["thresholds"].text
    assert found["thresholds"].text.endswith("; the settings here say 10m (winback.toml)")


@pytest.mark.usefixtures("healthy")
def test_doctor_compares_nothing_with_unusable_settings(env: dict[str, str], folder: Path) -> None:
    (folder / "winback.toml").write_text('[detection.idle]\ncheckout = "soon"\n')
    _, found = doctor(env)

    assert found["settings"].mark == "fail"
    assert found["thresholds"].mark == "note"
    assert found["thresholds"].text.startswith("not compared, since the settings here can't be used; ")


def test_doctor_notes_a_record_that_is_not_renewed(healthy: State, env: dict[str, str]) -> None:
    healthy.client.hset(healthy.keys.thresholds, "at", now_ms(healthy) - 7 * MINUTE_MS)
    _, found = doctor(env)

    assert found["thresholds"].mark == "note"
    assert found["thresholds"].text.startswith("no sweep has recorded its thresholds for 7 min")


def test_status_shows_the_thresholds_in_force(healthy: State, env: dict[str, str]) -> None:
    apply(healthy)
    _, shown = run("status", **env)

    assert "product_selection 45m, cart_review 30m, checkout 20m, payment 10m" in shown
    assert "exit off, declined off, pending 24h" in shown
    assert json.loads(run("status", "--json", **env)[1])["thresholds"]["settings"] == written(LATER)


@pytest.mark.usefixtures("healthy")
def test_status_shows_times_in_the_configured_zone(env: dict[str, str]) -> None:
    _, shown = run("status", **env, WINBACK_REPORT__TIME_ZONE="America/Bogota")

    assert " America/Bogota)" in shown.splitlines()[0]


def test_explain_uses_the_threshold_that_the_sweep_applies(shop: Shop) -> None:
    happen(shop.state, event(customer=JANE), ago_ms=MINUTE_MS)
    assert told(shop)["session"]["threshold"] == "15m"
    assert told(shop)["session"]["threshold_source"].startswith("from the settings here: no sweep")

    apply(shop.state)
    found = told(shop)["session"]

    assert found["threshold"] == "20m"
    assert "applies 20m (the default) since " in found["threshold_source"]
    assert "the settings here say 15m (the default)" in found["threshold_source"]
