"""`winback rotate-keys`, as an operator runs it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from state import deployment
from state.errors import DeploymentMismatchError
from tests.support.cipher_support import KEY, OTHER, johns_visit, key_id, with_keys
from tests.support.cli_support import environment, read
from tests.support.durations import HOUR_MS
from tests.support.events import happen
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, stored
from winback.cli.rotate_keys import STILL_RUNS, rotate_keys
from worker.errors import StartError
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def url(valkey: EmbeddedValkey) -> str:
    return valkey.url


@pytest.fixture
def old(real_state: State) -> State:
    """The data of an ended process with the old key."""
    state = with_keys(real_state, KEY)
    deployment.check(state.scripts, state.keys, SECRET, state.cipher.ids)
    happen(state, johns_visit())
    ended(state, KEY)
    return state


def ended(state: State, key: bytes) -> None:
    """Let the processes that encrypt with a key have ended long ago."""
    role = f"key.{key_id(key)}"
    for beat in deployment.heartbeats(state.scripts, state.keys, role):
        state.client.hset(state.keys.heartbeat(role), beat.process, now_ms(state) - HOUR_MS)


def run(url: str, *arguments: str, keys: tuple[bytes, ...], typed: str | None = None) -> Result:
    app = typer.Typer()
    app.command()(rotate_keys)
    env = environment(url, WINBACK_ENCRYPTION_KEYS=", ".join(key.hex() for key in keys))
    return CliRunner().invoke(app, arguments, env=env, input=typed, catch_exceptions=False)


def test_an_old_key_is_out_of_use_afterwards(old: State, url: str) -> None:
    done = run(url, keys=(OTHER, KEY))
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].endswith("values were encrypted again, in 1 records")
    assert lines[1].startswith(f"key {key_id(OTHER)}: ")
    assert lines[2] == (f"key {key_id(KEY)}: 0 values; no longer used: remove it from WINBACK_ENCRYPTION_KEYS")
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(OTHER)]
    assert stored(with_keys(old, OTHER)) == stored(with_keys(old, OTHER, KEY))
    again = json.loads(run(url, "--json", keys=(OTHER,)).stdout)
    assert (again["rewritten"], again["records"], again["unreadable"]) == (0, 1, {})
    assert again["keys"][key_id(OTHER)]["use"] == "first"


def test_a_key_that_a_process_still_encrypts_with_stays_in_use(old: State, url: str) -> None:
    old.heartbeat("ingest")
    document = json.loads(run(url, "--json", keys=(OTHER, KEY)).stdout)
    assert document["keys"][key_id(KEY)]["use"] == "used"
    assert len(document["keys"][key_id(KEY)]["processes"]) == 1
    assert key_id(KEY) in deployment.recorded_keys(old.scripts, old.keys)
    shown = run(url, keys=(OTHER, KEY)).stdout
    assert f"used within the last {STILL_RUNS.total_seconds():.0f} s by " in shown


def test_without_the_old_key_nothing_is_touched(old: State, url: str) -> None:
    with pytest.raises(DeploymentMismatchError, match=f"lacks a key .*{key_id(KEY)}"):
        run(url, keys=(OTHER,))
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(KEY)]


def test_lost_key_is_given_up_and_the_rest_continues(old: State, url: str) -> None:
    done = run(url, "--lost", key_id(KEY), "--yes", keys=(OTHER,))
    assert done.exit_code == 1
    assert "session:s-1: " in done.stdout
    assert f"key {key_id(KEY)}: " in done.stdout
    assert "lost: values under it can't be read any more" in done.stdout
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(OTHER)]
    assert read(old).problems["encryption"].startswith("session:s-1: ")
    deployment.check(old.scripts, old.keys, SECRET, [key_id(OTHER)])


def test_a_lost_key_is_given_up_only_after_a_yes(old: State, url: str) -> None:
    before = old.client.hgetall(old.keys.deployment)
    done = run(url, "--lost", key_id(KEY), keys=(OTHER,), typed="n\n")
    assert done.exit_code == 1
    assert f"key {key_id(KEY)}: 11 values in 1 sessions, 0 outreaches, 0 requests, of 1 records in all" in done.output
    assert old.client.hgetall(old.keys.deployment) == before
    done = run(url, "--lost", key_id(KEY), keys=(OTHER,), typed="y\n")
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(OTHER)]


def test_a_key_that_a_process_encrypts_with_is_not_lost(old: State, url: str) -> None:
    old.heartbeat("ingest")
    with pytest.raises(StartError, match=rf"--lost {key_id(KEY)}: .+ encrypted with it within the last 30 s"):
        run(url, "--lost", key_id(KEY), "--yes", keys=(OTHER,))
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(KEY)]


def test_the_beat_of_a_role_that_encrypts_nothing_records_no_key(old: State) -> None:
    for role in ("sweep", "beat", "worker"):
        with_keys(old, OTHER).heartbeat(role)
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(KEY)]


def test_heartbeat_of_a_process_with_a_wrong_key_records_none(old: State) -> None:
    with_keys(old, OTHER).heartbeat("ingest")
    assert deployment.recorded_keys(old.scripts, old.keys) == [key_id(KEY)]
    with_keys(old, OTHER, KEY).heartbeat("ingest")
    assert deployment.recorded_keys(old.scripts, old.keys) == sorted([key_id(KEY), key_id(OTHER)])


def test_a_key_that_is_there_is_not_lost(url: str) -> None:
    with pytest.raises(StartError, match=f"--lost {key_id(KEY)}: this key is in encryption_keys"):
        run(url, "--lost", key_id(KEY), keys=(OTHER, KEY))


def test_unused_lost_key_is_reported_with_the_used_ones(old: State, url: str) -> None:
    before = deployment.recorded_keys(old.scripts, old.keys)
    with pytest.raises(StartError) as caught:
        run(url, "--lost", "deadbeef", keys=(OTHER, KEY))
    assert str(caught.value) == f"--lost deadbeef: no such key is in use; in use: {key_id(KEY)}"
    assert deployment.recorded_keys(old.scripts, old.keys) == before


@pytest.mark.usefixtures("old")
def test_key_given_up_before_is_reported_as_lost_again(url: str) -> None:
    run(url, "--lost", key_id(KEY), "--yes", keys=(OTHER,))
    shown = run(url, keys=(OTHER,)).stdout
    assert f"key {key_id(KEY)}: " in shown
    assert "lost: values under it can't be read any more" in shown
    assert "run this again" not in shown


def test_missing_key_reports_how_to_make_one(url: str) -> None:
    with pytest.raises(StartError, match=r"encryption_keys: is missing; set WINBACK_ENCRYPTION_KEYS \(openssl rand"):
        run(url, keys=())


@pytest.mark.parametrize(("spool_bytes", "seen_ago_ms"), [(4096, 0), (0, HOUR_MS)])
def test_key_stays_in_use_while_a_spool_can_have_it(old: State, url: str, spool_bytes: int, seen_ago_ms: int) -> None:
    at_ms = now_ms(old) - seen_ago_ms
    old.client.hset(old.keys.collectors, "ab12", f"{at_ms} {at_ms} {spool_bytes} 0 0 0")
    old.client.pexpire(old.keys.collectors, HOUR_MS)
    shown = run(url, keys=(OTHER, KEY)).output
    assert f"key {key_id(KEY)}: 0 values; maybe used in the spool of collector ab12" in shown
    assert key_id(KEY) in deployment.recorded_keys(old.scripts, old.keys)
    old.client.delete(old.keys.collectors)
    assert f"key {key_id(KEY)}: 0 values; no longer used" in run(url, keys=(OTHER, KEY)).output


def test_key_of_a_running_collector_stays_in_use(old: State, url: str) -> None:
    deployment.report_key(old.scripts, old.keys, key_id(KEY))
    assert f"key {key_id(KEY)}: 0 values; used within the last 30 s" in run(url, keys=(OTHER, KEY)).output
