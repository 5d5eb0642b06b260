import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from state import deployment
from state.outcome_feed import FeedEntry
from state.server_info import Server
from state.webhooks import SenderReport, Webhooks
from tests.support.cli_support import (
    dead_port,
    environment,
    frozen,
    last_seen,
    make_healthy,
    read,
    run,
)
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import apply, arrived, event
from tests.support.feed import feed_of
from tests.support.outreaches import abandon, sending
from tests.support.stored_state import now_ms
from winback.cli.status_screen import Snapshot, screen
from worker.errors import StartError
from worker.monitoring import health
from worker.runtime import State
from worker.settings import Settings
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


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def status(env: dict[str, str], *arguments: str) -> str:
    code, shown = run("status", *arguments, **env)
    assert code == 0
    return shown


def document(env: dict[str, str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(status(env, "--json", *arguments))
    return found


@pytest.mark.usefixtures("healthy")
def test_healthy_system_reports_no_problem(env: dict[str, str]) -> None:
    assert document(env)["problems"] == []
    assert "All is well." in status(env)


def test_outcome_feed_and_webhooks_are_shown(healthy: State, env: dict[str, str]) -> None:
    feed_of(healthy).append([FeedEntry("id-1", "{}")], most=1000)
    assert len(Webhooks(healthy.scripts, healthy.keys).read(1)) == 1
    Webhooks(healthy.scripts, healthy.keys).report(SenderReport(sent=3))
    feed_of(healthy).check(0)
    found = document(env)
    assert found["outcome_feed"]["length"] == 1
    assert found["outcome_feed"]["readers"] == [{"name": "winback-webhooks", "unread": 0, "missed": 0}]
    assert found["webhooks"]["sent"] == 3
    healthy.client.delete(healthy.keys.feed, healthy.keys.webhooks)
    assert (document(env)["outcome_feed"], document(env)["webhooks"]) == (None, None)


def test_problems_come_the_worst_first(healthy: State, env: dict[str, str]) -> None:
    healthy.streams.reject(b"1-0", [("type", "is missing")], applied=False)
    abandon(healthy, ago_ms=30 * MINUTE_MS)
    last_seen(healthy, "recover", HOUR_MS)

    assert [problem["mark"] for problem in document(env)["problems"]] == ["fail", "warn", "note"]


def test_the_document_holds_what_the_screen_shows(healthy: State, env: dict[str, str]) -> None:
    held = sending(healthy, "s-1")
    healthy.outbox.settle(held, "sent")
    for number, stage in enumerate(["payment", "payment", "cart_review"]):
        apply(healthy, arrived(event(session=f"w-{number}", stage=stage), now_ms(healthy)))
    apply(healthy, arrived(event("payment_pending", session="w-3", stage="payment"), now_ms(healthy)))

    found = document(env)

    assert found["mode"] == "shadow"
    assert found["server"]["name"].startswith("valkey ")
    assert found["waiting"] == {"payment": {"idle": 2, "pending": 1}, "cart_review": {"idle": 1}}
    assert found["outcomes"]["sent"] == {"total": 1, "reasons": {}}
    assert found["silent"] == {"checkout.web.idle": 1}
    assert found["roles"]["beat"]["state"] == "alive"
    rows = {line.split()[0]: line.split() for line in status(env).splitlines() if line.split()}
    assert rows["payment"][1:3] == ["2", "1"]
    assert rows["cart_review"][1:3] == ["1", "-"]
    assert any(line.split()[-2:] == ["sent", "1"] for line in status(env).splitlines())


def test_reasons_are_shown_most_frequent_first(healthy: State, env: dict[str, str]) -> None:
    key = healthy.keys.stats(1, now_ms(healthy) // DAY_MS)
    healthy.client.hset(key, mapping={"suppressed.no_cart": 2, "suppressed.contacted_recently": 1_200})
    healthy.client.pexpire(key, DAY_MS)

    assert "suppressed   1,202  contacted_recently 1,200, no_cart 2" in status(env)


def test_the_days_asked_for_are_named(healthy: State, env: dict[str, str]) -> None:
    key = healthy.keys.stats(1, now_ms(healthy) // DAY_MS - 6)
    healthy.client.hset(key, "sent", 3)
    healthy.client.pexpire(key, DAY_MS)

    assert document(env, "--days", "7")["outcomes"]["sent"]["total"] == 3
    assert "last 7 days (UTC)" in status(env, "--days", "7")
    assert document(env)["outcomes"]["sent"]["total"] == 0


@pytest.mark.usefixtures("healthy")
def test_live_mode_names_the_host_that_is_called_and_no_secret(env: dict[str, str]) -> None:
    live = {
        **env,
        "WINBACK_REDIS_URL": env["WINBACK_REDIS_URL"].replace("redis://", "redis://default:hunter2@"),
        "WINBACK_DELIVERY__MODE": "live",
        "WINBACK_DELIVERY__ENDPOINT": "https://api.example.com/v1/pay",
        "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "hunter2",
    }

    for shown in (status(live), status(live, "--json")):
        assert "api.example.com" in shown
        assert "hunter2" not in shown


def test_all_problems_fit_on_one_screen_of_a_hundred_columns(real_state: State) -> None:
    at = now_ms(real_state)
    for number in range(60):
        stage = ("product_selection", "cart_review", "checkout", "payment")[number % 4]
        apply(real_state, arrived(event(session=f"s-{number}", stage=stage), at))
    real_state.client.xadd(real_state.keys.events, {"event": "{}"}, id=f"{at - HOUR_MS}-0")
    server = Server(999_999_999_999, 999_999_999_999, "allkeys-lru", append_only=False, writes_fail=False)
    found = replace(read(real_state), server=server, reopened_ms=at - SECOND_MS, problems={"detection": "x" * 80})
    snapshot = Snapshot(Settings(), "valkey 9.1.2 at redis:6379", 1, found, tuple(health.findings(found, Settings())))
    console = Console(width=100, record=True, file=StringIO())

    console.print(screen(snapshot))
    lines = console.export_text().splitlines()

    assert len(snapshot.problems) == 10
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 45


def test_missing_server_is_one_line_with_a_hint(env: dict[str, str]) -> None:
    port = dead_port()

    with pytest.raises(StartError) as stopped:
        run("status", **{**env, "WINBACK_REDIS_URL": f"redis://u:hunter2@127.0.0.1:{port}/0"})

    assert (
        str(stopped.value) == f"redis_url (127.0.0.1:{port}): nothing listens there: start it, or fix WINBACK_REDIS_URL"
    )


def test_a_server_that_is_not_named_is_one_line_too() -> None:
    with pytest.raises(StartError, match=r"^redis_url: is missing; set WINBACK_REDIS_URL.*$"):
        run("status")


def test_a_cluster_that_is_not_there_is_one_line_too(env: dict[str, str]) -> None:
    port = dead_port()
    away = {"WINBACK_REDIS_URL": f"redis+cluster://127.0.0.1:{port}", "WINBACK_BROKER_URL": "redis://127.0.0.1/0"}

    with pytest.raises(StartError, match=rf"^redis_url \(127\.0\.0\.1:{port}\): nothing listens there: .*$"):
        run("status", **{**env, **away})


def test_a_frozen_server_is_given_up_after_some_seconds(valkey: EmbeddedValkey, env: dict[str, str]) -> None:
    with frozen(valkey), pytest.raises(StartError, match="it doesn't answer in time"):
        run("status", **env)


WATCHER = "import typer; from winback.cli.status import status; typer.run(status)"


def test_watch_continues_during_an_outage_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey", port=0) as server:
        argv = [sys.executable, "-c", WATCHER, "--watch", "--json"]
        env = {**os.environ, **environment(server.url), "PYTHONPATH": str(Path(__file__).parents[2])}
        with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as watcher:
            assert watcher.stdout is not None
            try:
                assert json.loads(watcher.stdout.readline())["waiting"] == {}
                server.kill()
                snapshots = (json.loads(line) for line in watcher.stdout)
                away = next(snapshot for snapshot in snapshots if "error" in snapshot)
                server.start()
                assert next(snapshot for snapshot in snapshots if "error" not in snapshot)["outbox"]["due"] == 0
                watcher.send_signal(signal.SIGINT)
                assert watcher.wait(10) == 0
            finally:
                watcher.kill()
    assert "nothing listens there" in away["error"]


def test_at_eighty_columns_a_role_is_not_divided(healthy: State) -> None:
    at = now_ms(healthy)
    for role in ("ingest", "sweep", "recover", "beat"):
        healthy.client.hset(healthy.keys.heartbeat(role), "elsewhere:1", at - 12 * MINUTE_MS)
        healthy.client.hdel(healthy.keys.heartbeat(role), *last_processes(healthy, role))
    found = read(healthy)
    snapshot = Snapshot(Settings(), "valkey", 1, found, tuple(health.findings(found, Settings())))
    console = Console(width=80, record=True, file=StringIO())
    console.print(screen(snapshot))
    lines = console.export_text().splitlines()

    assert max(map(len, lines)) <= 80
    assert sum(line.count("SILENT for 12 min") for line in lines) == 4


def last_processes(state: State, role: str) -> list[str]:
    found = (beat.process for beat in deployment.heartbeats(state.scripts, state.keys, role))
    return [process for process in found if process != "elsewhere:1"]
