"""Fault 32, continued: a spool that is full, on a full disk, or damaged."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.faults.collector_hosts import Host, full_disk
from tests.faults.collector_scene import collector_fault, kill_server, wait, works_again
from tests.faults.fault import Scene
from tests.faults.mixed import _text
from tests.faults.web_shop import OK, UNAVAILABLE, filler, post
from worker.collector.spool_records import Record, pack, unpack

LARGE_KB = 300
DISK_BYTES = 400_000
MOST_FILLERS = 10


def full(scene: Scene) -> None:
    """Fill the spool while Redis is down: requests get 503 with Retry-After until there is room again."""
    host = scene.system.collectors.running[0]
    scene.open(40, over_s=5.0)
    with _down(scene):
        accepted = _fill(scene, host)
        wait(scene, 2.0)
        scene.expect(post(host.port, filler("too-much", LARGE_KB)) == UNAVAILABLE, "no 503 from a full spool")
    works_again(scene)
    _all_there(scene, accepted)


def disk_full(scene: Scene) -> None:
    """Fill the disk of the spool while Redis is down, with writes that fail half-way."""
    system = scene.system
    host = system.collectors.running[0]
    scene.open(40, over_s=6.0)
    with _down(scene), full_disk(system.pid("collect"), DISK_BYTES):
        accepted = _fill(scene, host)
        system.until(lambda: system.said("spool_write_failed"), 5, "a log line about the disk")
        wait(scene, 1.0)
    works_again(scene)
    _all_there(scene, accepted)


def damaged(scene: Scene) -> None:
    """Damage one record of the spool, and tear the last one: all others are delivered, and the loss is reported."""
    system = scene.system
    host = system.collectors.running[0]
    scene.open(30, over_s=5.0)
    lost, began = f"lost-{scene.random.random()}", time.time()
    with _down(scene):
        accepted = [f"kept-{scene.random.random()}" for _ in range(6)]
        for name in [*accepted[:3], lost, *accepted[3:]]:
            scene.expect(post(host.port, filler(name)) == OK, "no 200 from the spool")
        pid = system.pid("collect")
        system.freeze(pid)
        _damage(scene, host.segments(), lost)
        os.kill(pid, signal.SIGKILL)
        system.thaw(pid)
    works_again(scene)
    _all_there(scene, accepted)
    system.until(lambda: system.said("spool_damaged", since=began), 5, "a log line about the damage")
    # An alarm can still be firing for the loss of an earlier run, so the check itself is asked.
    system.until(lambda: "has lost events" in _text(scene, "collectors"), 10, "I6: a failing check")


def _damage(scene: Scene, segments: list[Path], lost: str) -> None:
    """Flip a byte of a record, and append a part of another, as a kill during a write leaves it."""
    for segment in segments:
        content = bytearray(segment.read_bytes())
        for record in unpack(bytes(content)):
            if lost.encode() in record.payload:
                _allow_loss(scene, record)
                content[scene.random.randrange(record.start, record.end)] ^= 0xFF
        segment.write_bytes(content)
    torn = pack(1, filler("torn").body)
    with segments[-1].open("ab") as file:
        file.write(torn[: scene.random.randrange(1, len(torn))])


def _allow_loss(scene: Scene, record: Record) -> None:
    """Allow the loss of shoppers' events that were accepted together with the event whose record is damaged."""
    for visit in scene.shop.visits.values():
        visit.told[:] = [event for event in visit.told if event.occurred.encode() not in record.payload]
        visit.untold += visit.session.encode() in record.payload


@contextmanager
def _down(scene: Scene) -> Iterator[None]:
    """Kill Redis when some events are accepted; start it again at the end."""
    scene.system.until(lambda: any(visit.told for visit in scene.shop.visits.values()), 30, "an event")
    kill_server(scene.system)
    try:
        yield
    finally:
        scene.system.server.start()


def _fill(scene: Scene, host: Host) -> list[str]:
    """Send large events until they are refused; return those that were accepted."""
    accepted: list[str] = []
    for _ in range(MOST_FILLERS):
        name = f"filler-{scene.random.random()}"
        connection = HTTPConnection("127.0.0.1", host.port, timeout=5)
        connection.request("POST", *filler(name, LARGE_KB))
        answer = connection.getresponse()
        connection.close()
        if answer.status == UNAVAILABLE:
            scene.expect(answer.getheader("retry-after"), "503 without Retry-After")
            return accepted
        scene.expect(answer.status == OK, f"status {answer.status}")
        accepted.append(name)
    raise TimeoutError(f"{MOST_FILLERS} large events were accepted")


def _all_there(scene: Scene, sessions: list[str]) -> None:
    """Expect the sessions of events that got 200."""
    keys = scene.system.state.keys
    for name in sessions:
        scene.system.until(lambda name=name: scene.system.redis.exists(keys.session(name)), 10, name)  # type: ignore[misc]


FAULTS = (
    collector_fault("32j", "spool full while Redis is down", full, env={"WINBACK_COLLECT__SPOOL_LIMIT_MB": "1"}),
    collector_fault("32k", "disk of the spool full while Redis is down", disk_full),
    collector_fault(
        "32l",
        "record of the spool damaged, the last one torn",
        damaged,
        env={"WINBACK_COLLECT__MISSING_AFTER": "10s"},  # a quarantined record holds contacts for this time
    ),
)
