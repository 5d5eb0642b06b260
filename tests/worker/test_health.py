from dataclasses import replace
from os import getpid
from socket import gethostname

import pytest
import structlog

from state import deployment
from state.decisions import Operator
from state.deployment import missing_key
from tests.support.cipher_support import KEY, key_id, with_keys
from tests.support.cli_support import configured, last_seen, make_healthy, read
from tests.support.deciding import dead, unknown
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.outreaches import abandon
from tests.support.stored_state import now_ms
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def problems(state: State) -> dict[str, str]:
    return {found.name: found.text for found in health.findings(read(state), Settings()) if found.mark != "ok"}


@pytest.mark.parametrize(
    ("role", "ago_ms", "life"),
    [
        ("beat", 0, "alive"),
        ("beat", 4_000, "alive"),
        ("beat", 4_001, "late"),
        ("beat", 6_000, "late"),
        ("beat", 6_001, "silent"),
        ("recover", 6_001, "silent"),
        ("ingest", 12_000, "late"),
        ("ingest", 12_001, "silent"),
        ("sweep", 10_000, "alive"),
        ("sweep", 15_001, "silent"),
    ],
)
def test_a_role_is_silent_after_three_of_its_intervals(healthy: State, role: str, ago_ms: int, life: str) -> None:
    found = read(healthy)
    found = replace(found, heartbeats={**found.heartbeats, role: [deployment.Heartbeat("h:1", found.now_ms - ago_ms)]})

    assert health.liveness(role, found, Settings()).state == life


def test_one_live_process_is_enough_and_dead_ones_ignored(healthy: State) -> None:
    found = read(healthy)
    signs = [deployment.Heartbeat(f"h:{ago}", found.now_ms - ago) for ago in (1_000, 2_000, 60_000)]
    found = replace(found, heartbeats={**found.heartbeats, "ingest": signs})

    assert health.liveness("ingest", found, Settings()) == health.Liveness("alive", 1_000, 2)


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 s"),
        (119_999, "119 s"),
        (120_000, "2 min"),
        (2 * HOUR_MS, "2 h"),
        (47 * HOUR_MS, "47 h"),
        (2 * DAY_MS, "2 d"),
    ],
)
def test_a_time_span_is_written_in_one_unit(ms: int, words: str) -> None:
    assert health.span(ms) == words


def test_full_server_is_the_first_problem(healthy: State) -> None:
    with configured(healthy, maxmemory=1):
        (memory,) = problems(healthy).items()

    assert memory[0] == "memory"
    assert memory[1].endswith("when memory runs out, events are rejected and no shopper is contacted")


def test_missing_replicas_are_a_failure(healthy: State) -> None:
    deployment.report(healthy.scripts, healthy.keys, "replication", "too few replicas: nothing is sent")
    found = health.findings(read(healthy), Settings())
    assert failing(found)["replication"].mark == "fail"


def test_silent_beat_is_reported_with_its_impact(healthy: State) -> None:
    last_seen(healthy, "beat", 3 * MINUTE_MS)

    assert problems(healthy) == {"beat": "silent for 3 min: no sweep is started"}


def test_missing_sweeps_are_reported_though_roles_run(healthy: State) -> None:
    healthy.client.hset(healthy.keys.sweep, "last", now_ms(healthy) - 4 * MINUTE_MS)

    assert problems(healthy) == {"sweeps": "no sweep has begun for 4 min, though sweep and beat run"}


@pytest.mark.parametrize(
    ("level", "hold", "mark", "words"),
    [
        ("doubtful", False, "note", "no order has arrived since 30 sessions had the time to order: it may be chance"),
        (
            "doubtful",
            True,
            "note",
            "no order has arrived since 30 sessions had the time to order: sending waits for one",
        ),
        ("never", False, "warn", "no order has ever arrived, though 30 sessions reached the checkout"),
        (
            "stopped",
            False,
            "fail",
            "no order has arrived since 30 sessions had the time to order, 50% usually do: buyers",
        ),
        (
            "stopped",
            True,
            "fail",
            "no order has arrived since 30 sessions had the time to order, 50% usually do: sending",
        ),
    ],
)
def test_missing_orders_are_reported_by_certainty(
    healthy: State, level: str, mark: str, words: str, *, hold: bool
) -> None:
    healthy.orders.record(level, judged_ms=0, hold=hold, run=30, rate=0.5)
    found = {finding.name: finding for finding in health.findings(read(healthy), Settings())}

    assert (found["orders"].mark, found["orders"].text.startswith(words)) == (mark, True)
    assert ("orders" in failing([*found.values()])) == (level != "doubtful")
    assert (found["sending"].mark == "fail") == hold


def test_lagging_ingest_is_reported_with_age_and_length(healthy: State) -> None:
    at = now_ms(healthy) - 3 * MINUTE_MS
    for number in range(2):
        healthy.client.xadd(healthy.keys.events, {"event": "{}"}, id=f"{at}-{number}")

    assert problems(healthy) == {"events": "ingest is 3 min behind with 2 events; contacts wait for them"}


def test_unread_stream_with_events_is_a_failure(healthy: State) -> None:
    healthy.streams.ensure(2)
    healthy.client.xadd(healthy.keys.events_of(1), {"event": "{}"})
    assert problems(healthy) == {}

    healthy.client.xadd(healthy.keys.events_of(3), {"event": "{}"})
    [found] = [finding for finding in health.findings(read(healthy), Settings()) if finding.name == "streams"]
    where = "winback:events:3, which ingest doesn't read (it reads 2)"
    assert (found.mark, found.text) == ("fail", f"events are in {where}; no contact waits for them")
    assert found.hint == "set ingest.streams to 4 or more, and restart ingest"


def test_reopening_is_reported_until_silence_is_long_enough(healthy: State) -> None:
    at = now_ms(healthy)
    healthy.client.hset(healthy.keys.sweep, "reopened", at - 5 * MINUTE_MS)

    assert problems(healthy)["reopened"].startswith(
        f"no sweeps or no events until {health.clock_time(at - 5 * MINUTE_MS)}, 5 min ago"
    )

    healthy.client.hset(healthy.keys.sweep, "reopened", at - 46 * MINUTE_MS)
    assert problems(healthy) == {}


def test_unusable_edit_is_reported_with_its_first_line(healthy: State) -> None:
    deployment.report(healthy.scripts, healthy.keys, "detection", "winback.toml:3:1: not TOML\nand another")

    told = problems(healthy)["thresholds"]

    assert told.endswith("keeps the previous ones: winback.toml:3:1: not TOML (and 1 more)")


def test_blocked_outbox_is_reported(healthy: State) -> None:
    abandon(healthy, ago_ms=30 * MINUTE_MS)

    assert problems(healthy) == {"outbox": "due now: 1 outreaches, the first for 15 min: the workers don't keep up"}


def test_parked_outreaches_are_a_note_with_number_and_command(healthy: State) -> None:
    assert "decisions" not in problems(healthy)
    parked = dead(healthy, "s-1")
    dead(healthy, "s-2")
    unknown(healthy, "s-3")
    (found,) = (found for found in health.findings(read(healthy), Settings()) if found.name == "decisions")
    assert (found.mark, found.hint) == ("note", "winback unknown list, winback dead list")
    assert found.text.endswith("decision: 1 unknown, which may have been sent, 2 dead")
    Operator(healthy.scripts, healthy.keys).drop([parked.outreach])
    assert problems(healthy)["decisions"].endswith("1 unknown, which may have been sent, 1 dead")


@pytest.mark.parametrize("role", ["ingest", "recover"])
def test_process_without_a_used_key_is_named_while_it_runs(healthy: State, role: str) -> None:
    without, with_it = with_keys(healthy), with_keys(healthy, KEY)
    without.heartbeat(role)
    assert "encryption" not in problems(healthy)
    with_it.heartbeat("ingest")
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            without.heartbeat(role)
    assert [line for line in lines if line["log_level"] != "error" or line["keys"] != [key_id(KEY)]] == []
    assert len(lines) == 1
    (found,) = (found for found in health.findings(read(healthy), Settings()) if found.name == "encryption")
    assert found.text.startswith(f"{role} runs without a key that the data needs ({gethostname()}:{getpid()}; keys in ")
    assert f"restart {role} with WINBACK_ENCRYPTION_KEYS" in found.hint
    # Time passes: it has been restarted with the key, or ended.
    signs = missing_key(healthy.keys, role)
    for process, at in healthy.client.hgetall(signs).items():
        healthy.client.hset(signs, process, int(at) - MINUTE_MS)
    with_it.heartbeat(role)
    assert "encryption" not in problems(healthy)


def test_role_without_encryption_lacks_no_key(healthy: State) -> None:
    with_keys(healthy, KEY).heartbeat("ingest")
    for role in ("sweep", "beat"):
        with_keys(healthy).heartbeat(role)
    assert "encryption" not in problems(healthy)
