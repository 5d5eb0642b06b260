"""`winback status` shows the outcomes of days in the recorded zone."""

from pathlib import Path

import pytest

from state import day_zone
from state.day_zone import DayZone
from tests.support.cli_support import environment, make_healthy
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.stored_state import now_ms
from tests.winback.test_status import document, status
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_outcomes_are_of_the_local_day_and_name_the_zone(real_state: State, valkey: EmbeddedValkey) -> None:
    make_healthy(real_state)
    env, now = environment(valkey.url), now_ms(real_state)
    day_zone.record(real_state.scripts, real_state.keys, DayZone("America/Argentina/Salta", -(now % DAY_MS) - HOUR_MS))
    key = real_state.keys.stats(1, now // DAY_MS - 1)
    real_state.client.hset(key, "sent", 3)
    real_state.client.pexpire(key, DAY_MS)

    assert document(env)["days_in"] == "America/Argentina/Salta"
    assert document(env)["outcomes"]["sent"]["total"] == 3
    assert "today (Salta)" in status(env)
