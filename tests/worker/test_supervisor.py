"""Crashed roles are restarted, or given up after repeated crashes."""

import itertools
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from tests.support.processes import AT_ONCE, SLEEP, WITH_A_STUBBORN_CHILD, Lines, is_gone, python, until
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.restart_policy import Death, RestartPolicy, Restarts, pause_before_restart
from worker.supervision.roles import Role
from worker.supervision.supervisor import RoleFailedError, Supervisor


@pytest.fixture
def lines() -> Lines:
    return Lines()


def test_dead_role_is_restarted_and_logged(lines: Lines) -> None:
    with Supervisor([python("beat", SLEEP), python("sweep", SLEEP)], output=lines, policy=AT_ONCE) as supervisor:
        supervisor.wait_until(supervisor.alive)
        before = supervisor.pids()
        os.kill(before["beat"], signal.SIGKILL)
        supervisor.wait_until(lambda: supervisor.restarts["beat"] == 1 and supervisor.alive())
        assert supervisor.pids()["beat"] != before["beat"]
        assert supervisor.pids()["sweep"] == before["sweep"]
    assert lines.of("winback") == ["beat ended (signal 9, Killed) and is started again in 0.01 s"]


def test_children_of_a_dead_role_end_before_its_restart(lines: Lines) -> None:
    with Supervisor([python("recover", WITH_A_STUBBORN_CHILD)], output=lines, policy=AT_ONCE) as supervisor:
        supervisor.wait_until(lambda: "stubborn" in lines.of("recover"))
        grandchild = int(re.findall(r"pid (\d+)$", "\n".join(lines.of("recover")), re.MULTILINE)[0])
        os.kill(supervisor.pids()["recover"], signal.SIGKILL)
        supervisor.wait_until(lambda: supervisor.restarts["recover"] == 1)
        until(lambda: is_gone(grandchild))


def test_role_that_keeps_failing_ends_everything_with_its_output(lines: Lines) -> None:
    dying = python("sweep", "print('no such queue'); raise SystemExit(7)")
    supervisor = Supervisor([python("beat", SLEEP), dying], output=lines, policy=AT_ONCE)
    with pytest.raises(
        RoleFailedError, match=r"^sweep keeps dying \(exit code 7\); its last lines:\n(  no such queue\n?){5}$"
    ):
        supervisor.run()
    assert supervisor.pids() == {}
    assert supervisor.restarts == {"beat": 0, "sweep": 4}


def test_a_role_that_refuses_to_start_is_not_started_again(lines: Lines) -> None:
    refusing = python("ingest", "import sys; print('redis_url: is missing', file=sys.stderr); sys.exit(2)")
    with (
        Supervisor([python("beat", SLEEP), refusing], output=lines) as supervisor,
        pytest.raises(RoleFailedError, match=r"^ingest refused to start \(exit code 2\); .*\n  redis_url: is missing$"),
    ):
        supervisor.wait_until(lambda: False)
    with pytest.raises(RoleFailedError):
        supervisor.wait_until(lambda: True)
    assert supervisor.restarts == {"beat": 0, "ingest": 0}


def test_proven_role_is_not_given_up_during_a_server_outage(lines: Lines, tmp_path: Path) -> None:
    # Its second run ends with the exit code of bad settings, the third continues.
    code = """
import pathlib, sys, time
lives = pathlib.Path(sys.argv[1])
lives.write_text(lives.read_text() + "x" if lives.exists() else "x")
time.sleep({"x": 0.3, "xx": 0}.get(lives.read_text(), 600))
sys.exit(2)
"""
    policy = RestartPolicy(first=0.01, brief=0.2)
    with Supervisor([python("sweep", code, tmp_path / "lives")], output=lines, policy=policy) as supervisor:
        supervisor.wait_until(lambda: supervisor.restarts["sweep"] == 2 and supervisor.alive())


def test_a_command_that_is_not_there_is_given_up_with_the_reason(lines: Lines) -> None:
    supervisor = Supervisor([Role("flower", ("/no/such/command",))], output=lines, policy=AT_ONCE)
    with pytest.raises(RoleFailedError, match=r"flower keeps dying \(exit code 127\)(.|\n)*/no/such/command"):
        supervisor.run()


def test_a_role_gets_its_environment_on_top_of_ours(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    code = "import os, time; print(os.environ['OURS'], os.environ['ITS'], flush=True); time.sleep(600)"
    role = Role("beat", (sys.executable, "-c", code), env={"ITS": "2"})
    assert "'2'" not in repr(role)
    with Supervisor([role], output=lines) as supervisor:
        supervisor.wait_until(lambda: lines.of("beat") == ["1 2"])


def test_waiting_for_what_does_not_happen_ends_after_its_time(lines: Lines) -> None:
    clock = itertools.count(step=10)
    with (
        Supervisor([python("beat", SLEEP)], output=lines, clock=lambda: float(next(clock))) as supervisor,
        pytest.raises(TimeoutError, match="within 60 s"),
    ):
        supervisor.wait_until(lambda: False, within_s=60)


def test_role_that_waits_for_a_server_is_never_given_up(lines: Lines) -> None:
    waiting = python("sweep", "raise SystemExit(75)")
    with Supervisor([waiting], output=lines, policy=AT_ONCE) as supervisor:
        supervisor.wait_until(lambda: supervisor.restarts["sweep"] > AT_ONCE.limit + 2)
    assert lines.of("winback")[0] == "sweep ended (exit code 75: it waits for a server) and is started again in 0.01 s"


def test_role_that_does_not_run_is_an_alarm(lines: Lines) -> None:
    policy = RestartPolicy(first=0.01, longest=0.05, brief=0.5)
    with Supervisor([python("sweep", "raise SystemExit(75)")], output=lines, policy=policy) as supervisor:
        supervisor.wait_until(lambda: '"event": "alarm"' in "".join(lines.of("winback")))


def test_server_that_cannot_be_started_again_is_waited_for(lines: Lines, tmp_path: Path) -> None:
    with (
        EmbeddedValkey(tmp_path, port=0) as server,
        Supervisor([python("beat", SLEEP)], server=server, output=lines, policy=AT_ONCE) as supervisor,
    ):
        supervisor.wait_until(supervisor.alive)
        files, away = tmp_path / "appendonlydir", tmp_path / "away"
        files.rename(away)
        files.write_text("in the way")
        os.kill(supervisor.pids()["valkey"], signal.SIGKILL)
        supervisor.wait_until(lambda: supervisor.restarts["valkey"] > AT_ONCE.limit)
        assert "it can't be started" in "".join(lines.of("winback"))
        files.unlink()
        away.rename(files)
        supervisor.wait_until(supervisor.alive)


@pytest.mark.parametrize("code", [75, -signal.SIGKILL, -signal.SIGTERM])
def test_ending_from_outside_never_gives_a_role_up(code: int) -> None:
    restarts = Restarts(RestartPolicy())
    assert all(restarts.died(Death(at=float(second), lived=0.1, code=code)) for second in range(500))


def test_role_that_ran_once_is_never_given_up() -> None:
    restarts = Restarts(RestartPolicy())
    assert restarts.died(Death(at=10, lived=RestartPolicy().brief)) == 1
    pauses = [restarts.died(Death(at=11.0 + second, lived=0.1, code=2)) for second in range(500)]
    assert None not in pauses


def test_refusal_to_start_gives_a_role_up_at_once() -> None:
    restarts = Restarts(RestartPolicy())
    assert restarts.died(Death(at=1, lived=0.1, code=75)) == 1
    assert restarts.died(Death(at=2, lived=0.1, code=2)) is None


def test_waiting_for_a_server_has_a_shorter_longest_pause() -> None:
    restarts = Restarts(RestartPolicy())
    pauses = [restarts.died(Death(at=float(second), lived=0.1, code=75)) for second in range(100)]
    assert pauses[:5] == [1, 2, 4, 8, 10]
    assert pauses[-1] == 10


def lives(*lived: float) -> Sequence[Death]:
    return [Death(at=at, lived=life) for life, at in zip(lived, itertools.accumulate(lived), strict=True)]


@pytest.mark.parametrize(
    ("lived", "pause"),
    [
        ([3], 1),
        ([3, 3], 2),
        ([3, 3, 3, 3], 8),
        ([3, 3, 3, 3, 3], None),
        ([9.9] * 5, None),
        ([3, 3, 10, 3, 3], 16),
        ([20] * 9, 30),
        ([20, 20, 20, 60], 1),
        ([20, 20, 60, 20], 2),
        ([3, 3, 3, 3, 100], 1),
    ],
)
def test_pause_doubles_until_healthy_and_ends_if_never_up(lived: Sequence[float], pause: float | None) -> None:
    assert pause_before_restart(lives(*lived), RestartPolicy()) == pause


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=64))
def test_a_pause_is_always_between_a_second_and_half_a_minute(lived: list[float]) -> None:
    pause = pause_before_restart(lives(*lived), RestartPolicy())
    assert pause is None or 1 <= pause <= 30
    if max(lived) >= 60 and len(lived) <= 5:
        assert pause is not None


def test_killed_server_returns_with_its_data_under_running_roles(lines: Lines, tmp_path: Path) -> None:
    with (
        EmbeddedValkey(tmp_path, port=0) as server,
        Supervisor([python("beat", SLEEP)], server=server, output=lines, policy=AT_ONCE) as supervisor,
        redis.Redis.from_url(server.url) as client,
    ):
        client.set("key", "value")
        supervisor.wait_until(supervisor.alive)
        beat, valkey = supervisor.pids()["beat"], supervisor.pids()["valkey"]
        os.kill(valkey, signal.SIGKILL)
        supervisor.wait_until(lambda: supervisor.pids().get("valkey", valkey) != valkey)
        supervisor.wait_until(lambda: answers(client))
        assert client.get("key") == b"value"
        assert supervisor.pids()["beat"] == beat
        assert supervisor.restarts == {"valkey": 1, "beat": 0}
    assert server.pid is None


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
