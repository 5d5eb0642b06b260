"""`winback replay` against a real server, and its progress bar."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import typer
from typer.testing import CliRunner, Result

from winback.cli import replay as command
from winback.cli.replay import fraction_done, seconds_left
from winback.operations.replay import ReplayTotals
from worker.errors import StartError
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("replay")

MAY = datetime(2025, 5, 13, 22, 40, tzinfo=UTC)


def recorded(*seconds: float) -> list[bytes]:
    return [
        json.dumps({"occurred_at": (MAY + timedelta(seconds=after)).isoformat(), "n": number}).encode()
        for number, after in enumerate(seconds, 1)
    ]


@pytest.mark.parametrize(
    ("totals", "limit", "done", "left"),
    [
        (ReplayTotals(), None, None, None),
        (ReplayTotals(first_ms=1000, latest_ms=1000), None, 0.0, 50.0),
        (ReplayTotals(first_ms=1000, latest_ms=26_000, seconds=12.5), None, 0.25, 37.5),
        (ReplayTotals(first_ms=1000, latest_ms=26_000, seconds=40.0, lag_s=20.0), None, 0.25, 120.0),
        (ReplayTotals(first_ms=1000, latest_ms=101_000, seconds=50.0), None, 1.0, 0.0),
        (ReplayTotals(first_ms=1000, latest_ms=26_000, seconds=5.0, sent=10), 40, 0.25, 15.0),
    ],
)
def test_remaining_time_follows_schedule_or_pace(
    totals: ReplayTotals, limit: int | None, done: float | None, left: float | None
) -> None:
    shown = fraction_done(totals, last_ms=101_000, limit=limit)

    assert shown == done
    assert seconds_left(totals, shown, last_ms=None if limit else 101_000, speed=2) == left


def test_remaining_time_of_a_pipe_is_unknown() -> None:
    totals = ReplayTotals(first_ms=1000, latest_ms=2000, seconds=1.0)

    assert fraction_done(totals, last_ms=None, limit=None) is None
    assert seconds_left(totals, None, last_ms=None, speed=1) is None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), port=0) as started:
        yield started


class Shop:
    """The command and the stream that it writes to."""

    def __init__(self, url: str) -> None:
        namespace = f"t{uuid4().hex[:12]}"
        self.env = {"WINBACK_REDIS_URL": url, "WINBACK_NAMESPACE": namespace}
        self.client = redis.Redis.from_url(url, decode_responses=True)
        self.key = f"{namespace}:events"

    def events(self) -> list[Any]:
        found: Any = self.client.xrange(self.key)
        return [json.loads(fields["event"]) for _, fields in found]

    def run(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Result:
        app = typer.Typer()
        app.command()(command.replay)
        return CliRunner().invoke(app, arguments, input=stdin, env={**self.env, **(env or {})}, catch_exceptions=False)


@pytest.fixture
def shop(server: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    found = Shop(server.url)
    yield found
    found.client.close()


def write(lines: Sequence[bytes]) -> str:
    Path("events.jsonl").write_bytes(b"\n".join(lines))
    return "events.jsonl"


def test_a_file_is_sent_and_summed_up(shop: Shop) -> None:
    before = time.time()

    done = shop.run(write(recorded(0, 60, 120)), "--speed", "600")

    events = shop.events()
    moments = [datetime.fromisoformat(event["occurred_at"]).timestamp() for event in events]
    assert (done.exit_code, [event["n"] for event in events]) == (0, [1, 2, 3])
    assert [round(b - a, 3) for a, b in pairwise(moments)] == [0.1, 0.1]
    assert before - 0.01 <= moments[0] <= moments[-1] <= time.time()
    assert done.stdout.startswith("sent 3 events in 0.2 s: ")
    assert len(done.stdout.splitlines()) == 1


def test_lines_come_from_stdin_and_the_summary_is_json(shop: Shop) -> None:
    lines = b"\n".join(recorded(*[0.0] * 5000))

    done = shop.run("-", "--json", stdin=lines)

    summary = json.loads(done.stdout)
    assert [event["n"] for event in shop.events()] == list(range(1, 5001))
    assert summary.pop("seconds") > 0
    assert summary.pop("events_per_second") > 0
    assert summary.pop("worst_lag_seconds") >= 0
    assert summary == {"sent": 5000, "out_of_order": 0, "skipped": 0, "interrupted": False}


def test_unsorted_file_is_reported(shop: Shop) -> None:
    done = shop.run(write(recorded(0, 2, 1)), "--speed", "1000")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[1] == "1 were out of order and sent at once: sort the file by occurred_at"


def test_unreplayable_line_is_named_and_exits_with_1(shop: Shop) -> None:
    done = shop.run("-", stdin=b"rubbish\n" * 12 + recorded(0)[0])

    assert done.exit_code == 1
    assert len(shop.events()) == 1
    assert done.stderr.splitlines() == [f"line {number}: is not valid JSON" for number in range(1, 11)]
    assert done.stdout.splitlines()[1] == "12 lines were skipped, see above"


def test_live_mode_is_refused_unless_the_endpoint_is_local(shop: Shop) -> None:
    path = write(recorded(0))
    live = {"WINBACK_DELIVERY__MODE": "live"}

    with pytest.raises(StartError) as refused:
        shop.run(path, env=live)
    assert str(refused.value).startswith("replay: delivery.mode is live and delivery.endpoint is prod.y.uno: ")
    assert "\n" not in str(refused.value)
    assert shop.events() == []

    for here in ("http://127.0.0.1:8099/x", "http://localhost:8099/x", "https://[::1]/x"):
        assert shop.run(path, env={**live, "WINBACK_DELIVERY__ENDPOINT": here}).exit_code == 0
    assert len(shop.events()) == 3


def test_replay_is_refused_when_workers_run_live(shop: Shop) -> None:
    place = shop.key.replace(":events", ":deployment")
    shop.client.hset(place, mapping={"mode": "live", "endpoint": "https://api.y.uno/v1/x"})

    with pytest.raises(StartError, match=r"^replay: the workers' delivery\.mode is live .* api\.y\.uno: "):
        shop.run(write(recorded(0)))
    assert shop.events() == []


@pytest.fixture
def started(shop: Shop) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    processes = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        code = "import typer; from winback.cli.replay import replay; typer.run(replay)"
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env={**shop.env, "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("source", ["file", "quiet pipe"])
def test_ctrl_c_stops_with_a_summary_in_a_gap_or_quiet_pipe(
    shop: Shop, started: Callable[..., subprocess.Popen[str]], source: str, number: signal.Signals
) -> None:
    process = started(write(recorded(0, 1e6)) if source == "file" else "-")
    assert process.stdin is not None
    if source != "file":
        process.stdin.write(recorded(0)[0].decode() + "\n")
        process.stdin.flush()
    deadline = time.monotonic() + 20
    while len(shop.events()) < 1:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)

    process.send_signal(number)

    assert process.wait(10) == 130
    assert process.stdout is not None
    assert process.stdout.read().startswith("stopped: sent 1 events in ")
