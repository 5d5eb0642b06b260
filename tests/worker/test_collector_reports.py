"""A collector reports a time that counts, whatever its host's clock was when it accepted events."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from state.cipher import Unencrypted
from state.collectors import CollectorMark, Figures
from state.deliveries import DeliveryNote
from tests.support.durations import HOUR_MS, MINUTE_MS
from worker.collector.committer import Committer
from worker.collector.reporter import INTERVAL_S, LONGEST_PAUSE_S, UNKNOWN_PAUSE_S, Reporter, pause_s
from worker.collector.server_clock import ServerClock
from worker.collector.spool import Spool
from worker.collector.spool_directory import SpoolDirectory
from worker.collector.stream_access import StreamAccess

NOW_MS = 1_796_000_000_000
AFTER_MS = 15 * MINUTE_MS


class Access:
    """A server that takes reports, and no events."""

    def __init__(self) -> None:
        self.reports: list[int] = []

    def sign(self, _collector: str, until_ms: int, _figures: Figures) -> int:
        self.reports += [until_ms] if until_ms else []
        return NOW_MS

    def heartbeat(self) -> None:
        pass

    def note(self, notes: Sequence[DeliveryNote]) -> None:
        pass

    def write(self, _events: Sequence[bytes]) -> None:
        raise RuntimeError


def reported(folder: Path, accepted_ms: int) -> int:
    """Let a collector start with an event in its spool, and return its first report (Unix ms)."""
    access, spool = Access(), Spool(SpoolDirectory(folder), 1_000_000, Unencrypted())
    spool.open()
    spool.append(accepted_ms, [b"{}"])
    reporter = Reporter(
        "a",
        access=cast("StreamAccess", access),
        committer=Committer(lambda _: None, spool),
        spool=spool,
        clock=ServerClock(steady=lambda: 0.0, host=lambda: accepted_ms / 1000),
        figures=Figures,
        missing_after_ms=AFTER_MS,
        delivered=list,
    )
    with pytest.raises(RuntimeError):
        reporter.step()
    spool.close()
    return access.reports[0]


@pytest.mark.parametrize("wrong_ms", [-30 * 365 * 24 * HOUR_MS, -3 * HOUR_MS, -MINUTE_MS, MINUTE_MS, 3 * HOUR_MS])
def test_events_of_a_wrong_host_clock_hold_contacts(tmp_path: Path, wrong_ms: int) -> None:
    until_ms = reported(tmp_path, NOW_MS + wrong_ms)
    assert until_ms == NOW_MS + min(0, max(wrong_ms, -AFTER_MS))
    later_ms = NOW_MS + 2 * AFTER_MS
    assert CollectorMark("a", until_ms, later_ms, Figures()).holds(later_ms, AFTER_MS)


@pytest.mark.parametrize(
    ("failures", "is_known", "pause"),
    [(0, True, INTERVAL_S), (1, True, 2 * INTERVAL_S), (9, True, LONGEST_PAUSE_S), (9, False, UNKNOWN_PAUSE_S)],
)
def test_collector_that_redis_does_not_know_tries_often(failures: int, *, is_known: bool, pause: float) -> None:
    assert pause_s(failures, is_known=is_known) == pause
