"""`winback tune --from-redis`, as it is called."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from detectors.flow import STAGES
from detectors.sequence import ACTIVITY_RANK
from tests.support.cli_support import environment
from tests.support.live_model import Silence, counters, shop, true_share
from tests.support.recordings import Ran, ordered, recorded, seen, winback
from tests.support.stored_state import now_ms
from thresholds.grid import DAY_MS, HOUR_MS, MINUTE_MS
from thresholds.silences import GROUPS
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
HORIZONS = (HOUR_MS, DAY_MS)
CHECKOUT = ACTIVITY_RANK["checkout", "web"]
DAYS, A_DAY = 20, 200


@pytest.fixture
def env(valkey: EmbeddedValkey) -> dict[str, str]:
    waits = [f"WINBACK_DETECTION__IDLE__{stage.upper()}" for stage in STAGES]
    return environment(valkey.url) | dict.fromkeys(waits, "15m")


@pytest.fixture
def counted(real_state: State) -> list[Silence]:
    """Silences of the latest days, of which a tenth of the people was held out, and the number of each day."""
    random, every = Random(5), []
    today = now_ms(real_state) // DAY_MS
    for day in range(today - DAYS, today + 1):
        silences = shop(random, A_DAY, holdout=0.1)
        every += silences
        for one in counters(silences, CHECKOUT, HORIZONS, day=day, groups=GROUPS):
            key = real_state.keys.silences(one.group, day, one.rank)
            numbers: dict[Any, Any] = {**one.numbers, "horizons": " ".join(map(str, HORIZONS))}
            real_state.client.hset(key, mapping=numbers)
            real_state.client.expire(key, 3600)
    return every


def tuned(env: dict[str, str], *options: str) -> Ran:
    return winback("tune", "--from-redis", *options, env=env)


def test_counters_give_the_share_without_contacts(env: dict[str, str], counted: list[Silence]) -> None:
    found = json.loads(tuned(env, "--target", "20%", "--stage", "checkout", "--json").out)
    (stage,) = found["stages"]
    share = true_share(counted, stage["threshold_seconds"] * 1000, HOUR_MS)
    assert stage["status"] in {"ok", "rough"}
    assert stage["low"] <= share <= stage["high"]
    assert (found["asked"]["source"], found["data"]["days"]) == ("redis", 14)
    assert found["data"]["holdout_in_recording"] > 100
    assert "quiet hours" in found["warnings"][0]


def test_screen_names_the_counted_days(env: dict[str, str], counted: list[Silence]) -> None:
    assert counted
    found = tuned(env, "--target", "20%")
    assert (found.code, found.err) == (0, "")
    assert "(14 days, UTC), of reachable shoppers" in " ".join(found.out.split())


def test_document_has_the_fields_of_a_recording(env: dict[str, str], counted: list[Silence], tmp_path: Path) -> None:
    assert counted
    file = recorded(tmp_path / "events.jsonl", [seen("s", 0), ordered("s", 9)], ends=3000)
    of_file = json.loads(winback("tune", file, "--json", "--shadow").out)
    of_redis = json.loads(tuned(env, "--json").out)
    for part in (None, "asked", "data"):
        one, other = (found if part is None else found[part] for found in (of_file, of_redis))
        assert one.keys() == other.keys()
    assert {frozenset(stage) for stage in of_redis["stages"]} == {frozenset(stage) for stage in of_file["stages"]}


@pytest.mark.usefixtures("real_state")
def test_without_a_complete_day_nothing_is_recommended(env: dict[str, str]) -> None:
    found = tuned(env)
    assert found.code == 1
    assert "no complete day of counters yet" in " ".join(found.out.split())


@pytest.mark.parametrize(
    ("options", "setting", "problem"),
    [
        (["--horizon", "30m"], {}, "--horizon 30m: isn't counted in Redis: use 1h, 24h, or add it to tuning.horizons"),
        ([], {"WINBACK_TUNING__COLLECT": "false"}, "silences aren't counted: set tuning.collect = true"),
        (["--shadow"], {}, "--from-redis: can't be used with --shadow"),
        (["--everybody"], {}, "--from-redis: can't be used with --everybody"),
        (["events.jsonl"], {}, "--from-redis: can't be used with FILE"),
    ],
)
def test_wrong_use_names_the_fix(
    env: dict[str, str], options: list[str], setting: dict[str, str], problem: str
) -> None:
    found = tuned(env | setting, *options)
    assert found.code != 0
    assert problem in " ".join(found.err.split())


def test_neither_file_nor_redis_names_both() -> None:
    found = winback("tune")
    assert found.code != 0
    assert "--from-redis" in found.err


def test_horizon_counted_only_on_some_days_uses_those(env: dict[str, str], real_state: State) -> None:
    today = now_ms(real_state) // DAY_MS
    for day, horizons in ((today - 6, "3600000"), (today - 5, "3600000"), (today - 4, "3600000 7200000")):
        key = real_state.keys.silences(0, day, CHECKOUT)
        counts: dict[Any, Any] = {"n.0": 200, f"r{HOUR_MS}.0": 20, "horizons": horizons}
        real_state.client.hset(key, mapping=counts | ({f"r{2 * HOUR_MS}.0": 30} if "7" in horizons else {}))
        real_state.client.expire(key, 3600)
    env |= {"WINBACK_TUNING__HORIZONS": "1h,2h"}
    curves = {
        hours: json.loads(tuned(env, "--horizon", hours, "--stage", "checkout", "--json").out)["stages"][0]["curve"]
        for hours in ("1h", "2h")
    }
    first = {hours: (curve[0]["followed"], curve[0]["returned"]) for hours, curve in curves.items()}
    assert first == {"1h": (400, 40), "2h": (200, 30)}
    assert curves["1h"][0]["threshold_seconds"] == 2 * MINUTE_MS // 1000
