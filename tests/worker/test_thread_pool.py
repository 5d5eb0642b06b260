"""A real Celery worker with a pool of threads, for which Celery enforces no limits."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from worker.celery_support.stall_watchdog import memory_kb
from worker.supervision.embedded_valkey import EmbeddedValkey

WORKER = """
import sys, time
from celery import Celery, signals
from worker.celery_support import stall_watchdog
stall_watchdog.EVERY_S, stall_watchdog.LONGEST_S = 0.05, 0.3
stall_watchdog.FROZEN_S = 1000.0  # however busy the machine is
app = Celery("test", broker=sys.argv[1])
app.conf.update(task_time_limit=0.2, task_default_queue="hanging", worker_enable_remote_control=False)

@app.task
def hang():
    time.sleep(600)

@signals.worker_ready.connect
def watch(**_):
    stall_watchdog.start_stall_watchdog(app, "hanging", threads=True)

hang.delay()
app.worker_main(["worker", "-P", "threads", "-c", "2", "--without-gossip", "--without-mingle"])
"""


@pytest.mark.xdist_group("valkey")
def test_worker_with_a_hanging_thread_ends_itself(valkey: EmbeddedValkey) -> None:
    # A separate database: Celery's keys have no TTL, and other tests check for such keys.
    broker = valkey.url.removesuffix("/0") + "/7"
    done = subprocess.run([sys.executable, "-c", WORKER, broker], capture_output=True, timeout=100, check=False)

    assert done.returncode == -signal.SIGKILL
    output = done.stdout + done.stderr
    assert b"a task runs for longer than its limit" in output
    assert b"Warm shutdown" in output


def test_memory_is_in_kib() -> None:
    assert 10_000 < memory_kb() < 2_000_000


def test_memory_is_the_peak_where_the_system_has_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    now = memory_kb()
    monkeypatch.setattr("worker.celery_support.stall_watchdog._PAGES", Path("/no/such/file"))

    assert memory_kb() >= now - 1000


def test_large_parent_is_not_the_memory_of_its_child() -> None:
    code = "from worker.celery_support.stall_watchdog import memory_kb; print(memory_kb())"
    large = bytearray(300 * 2**20)
    large[::4096] = bytes(len(large[::4096]))  # pages count when they are written

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert int(done.stdout) < 200_000
