"""`winback report`, as it is called."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from state import day_zone
from state.day_zone import DayZone
from tests.support.cli_support import dead_port, environment
from tests.support.durations import DAY_MS, HOUR_MS
from tests.support.orders import contacted, order, order_comes
from tests.support.stored_state import now_ms
from winback.cli.report import report as report_command
from worker.errors import StartError
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def env(valkey: EmbeddedValkey) -> dict[str, str]:
    return environment(valkey.url)


def run(env: dict[str, str], *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(report_command)
    return CliRunner().invoke(app, arguments, env={"NO_COLOR": "1", **env}, catch_exceptions=False)


def document(env: dict[str, str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(env, "--json", *arguments).stdout)
    return found


def today(state: State) -> date:
    return datetime.fromtimestamp(now_ms(state) / 1000, UTC).date()


def write(state: State, days_ago: int, field: str, number: int) -> None:
    key = state.keys.stats(7, now_ms(state) // DAY_MS - days_ago)
    state.client.hincrby(key, field, number)
    state.client.pexpire(key, DAY_MS)


def test_an_order_after_a_contact_is_in_it_with_its_value(real_state: State, env: dict[str, str]) -> None:
    contacted(real_state, ago_ms=1000)
    order_comes(real_state, order())
    found = document(env, "--by", "stage,platform")
    (row,) = found["rows"]
    assert (row["stage"], row["platform"]) == ("checkout", "web")
    assert (row["sessions"], row["silent"], row["contacted"]) == (1, 1, 1)
    assert row["recovered"] == {"orders": 1, "unpriced": 0, "revenue": {"COP": 149.99}}
    assert "149.99 COP" in run(env).stdout


def test_days_before_and_after_those_asked_for_are_left_out(real_state: State, env: dict[str, str]) -> None:
    for ago in range(10):
        write(real_state, ago, "sent@checkout.web", 10**ago)
    now = today(real_state)
    since, until = (str(now - timedelta(days=ago)) for ago in (5, 3))
    assert document(env)["total"]["contacted"] == 1_111_111
    assert document(env, "--since", "2d")["total"]["contacted"] == 11
    assert document(env, "--since", "1h")["total"]["contacted"] == 1
    assert document(env, "--since", "25h")["total"]["contacted"] == 11
    assert document(env, "--since", since, "--until", until)["total"]["contacted"] == 111_000
    found = document(env, "--since", since)
    assert (found["since"], found["until"]) == (since, str(now))
    assert found["total"]["contacted"] == 111_111


@pytest.mark.usefixtures("real_state")
def test_the_window_is_that_of_the_settings(env: dict[str, str]) -> None:
    assert document(env)["attribution_window_s"] == 72 * 3600
    assert document({**env, "WINBACK_CONTACT__ATTRIBUTION_WINDOW": "1d"})["attribution_window_s"] == 24 * 3600


@pytest.mark.usefixtures("real_state")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "x"], "--since x: write a day, like 2026-11-01, or a duration, like 7d"),
        (["--until", "7d"], "--until 7d: write a day, like 2026-11-30"),
        (["--by", "day,week"], "--by week: write one or more of day,stage,platform, or total for no groups"),
        (["--since", "2026-11-02", "--until", "2026-11-01"], "--since 2026-11-02 is after --until 2026-11-01"),
        (["--since", "2020-01-01"], "--since 2020-01-01: counters are kept for 400 days; begin later"),
    ],
)
def test_unreadable_input_is_reported_with_a_hint(env: dict[str, str], arguments: list[str], words: str) -> None:
    with pytest.raises(StartError) as caught:
        run(env, *arguments)
    assert str(caught.value) == words


def test_a_server_that_is_away_is_named(env: dict[str, str]) -> None:
    with pytest.raises(StartError, match="nothing listens there"):
        run({**env, "WINBACK_REDIS_URL": f"redis://127.0.0.1:{dead_port()}/0"})


@pytest.mark.usefixtures("real_state")
def test_nothing_at_all_is_no_mistake(env: dict[str, str]) -> None:
    result = run(env)
    assert result.exit_code == 0
    assert "nothing happened" in result.stdout


def test_csv_and_json_exclude_each_other(env: dict[str, str]) -> None:
    with pytest.raises(StartError, match="--csv: can't be used with --json"):
        run(env, "--csv", "--json")


def test_csv_is_printed_without_anything_else(real_state: State, env: dict[str, str]) -> None:
    write(real_state, 0, "sessions@checkout.web", 3)
    shown = run(env, "--csv").stdout

    assert shown.replace("\r\n", "\n").splitlines()[:2] == [
        "day,stage,platform,measure,detail,value,time_zone",
        f"{today(real_state)},checkout,web,sessions,,3,UTC",
    ]


def test_today_is_the_day_in_the_recorded_zone(real_state: State, env: dict[str, str]) -> None:
    yesterday = DayZone("America/Bogota", -(now_ms(real_state) % DAY_MS) - HOUR_MS)
    day_zone.record(real_state.scripts, real_state.keys, yesterday)
    write(real_state, 1, "sent", 5)
    found = document(env, "--since", "1d")

    assert found["total"]["contacted"] == 5
    assert found["until"] == (today(real_state) - timedelta(days=1)).isoformat()
    assert found["time_zone"] == "America/Bogota"


def test_experiment_is_compared_since_its_start(real_state: State, env: dict[str, str]) -> None:
    for arm, orders in (("now", 90), ("later", 240), ("holdout", 80)):
        write(real_state, 6, f"arm.delays.{arm}.people@checkout.web", 600)
        write(real_state, 6, f"arm.delays.{arm}.orders@checkout.web", orders)
    of_arms = {"ARMS__NOW__DELAY": "off", "ARMS__LATER__DELAY": "24h"}
    given = {"NAME": "delays", "START": str(today(real_state) - timedelta(days=7)), **of_arms}
    running = env | {f"WINBACK_EXPERIMENT__{name}": value for name, value in given.items()}
    found = document(running, "--since", "1d")["experiment"]
    assert (found["winner"], found["arms"][0]["orders"]) == ("later", 240)
    assert "Arm later had more orders than every other arm" in run(running, "--since", "1d").stdout
    assert document(env)["experiment"] is None
    assert document(running)["total"]["sessions"] == 0
