"""The inputs and readings of the benches of Winback: the figures depend on them."""

import json
import subprocess
import sys
from collections import Counter
from random import Random

from bench.processes import family, memory_bytes, processor_s
from bench.winback.filling import KNOWN_EVERY, lines, session_id
from tests.support.waiting import eventually

GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "b = bytearray(64 * 2**20)\\nwhile True: pass"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_what_a_process_started_counts_as_its_own() -> None:
    command = [sys.executable, "-S", "-c", GRANDCHILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        try:
            assert family(process.pid) == [process.pid, grandchild]
            # It burns time and holds 64 MiB; its parent does neither.
            eventually(lambda: processor_s(process.pid) > 0.3)
            eventually(lambda: memory_bytes(process.pid) > 64 * 2**20)
            assert memory_bytes(grandchild) < memory_bytes(process.pid) < 200 * 2**20
        finally:
            subprocess.run(["kill", "-9", str(grandchild), str(process.pid)], check=True)


def test_events_for_waiting_sessions_have_the_shares_of_a_shop() -> None:
    sessions = [*range(1000)] * 20
    events = [json.loads(line) for line in lines(sessions, Random(1))]
    assert [event["session_id"] for event in events] == [session_id(number) for number in sessions]
    known = sum("customer" in event for event in events) / len(events)
    carts = sum("cart" in event for event in events) / len(events)
    stages = Counter(event["flow_stage"] for event in events)
    assert abs(known - 1 / KNOWN_EVERY) < 0.01
    assert abs(carts - 0.15) < 0.01
    assert stages["product_selection"] > stages["cart_review"] > stages["checkout"] > 1500
    times = [event["occurred_at"] for event in events]
    assert times == sorted(times)
    assert times[0] < times[-1]
