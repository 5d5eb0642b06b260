"""The recorder: from copies to files, with one recorder of several, a full disk, and Redis down."""

import errno
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from state.errors import ServerUnavailableError
from state.recorder_status import RecorderStatus
from state.recording import Copies, Copy
from tests.support.durations import DAY_MS
from tests.support.filled_stream import read
from tests.support.stored_state import texts
from worker.recorder import recorder as recorder_module
from worker.recorder.files import RecordingFiles
from worker.recorder.lines import line_of
from worker.recorder.pseudonyms import Pseudonyms
from worker.recorder.recorder import DISK_AWAY_S, Recorder
from worker.runtime import State

SECRET = b"a secret of some length"


class Shop:
    """Events, and recorders with a directory each."""

    def __init__(self, state: State, directory: Path) -> None:
        self.state, self._directory = state, directory
        self._opened: list[RecordingFiles] = []
        self.time_s = 0.0
        self.beats = 0
        state.streams.first.create_group()

    def recorder(self, name: str = "one") -> Recorder:
        files = RecordingFiles(self._directory / name, limit=10**7, rotate_after_ms=DAY_MS, keep_ms=DAY_MS)
        files.open()
        self._opened.append(files)
        return Recorder(
            Copies(self.state.scripts, self.state.keys, self.state.streams),
            files,
            Pseudonyms(SECRET),
            monotonic=lambda: self.time_s,
            heartbeat=self._beat,
        )

    def close(self) -> None:
        for files in self._opened:
            files.close()

    def happen(self, *sessions: str) -> None:
        """Add events, and apply them."""
        for session in sessions:
            event = {"session_id": session, "type": "activity", "flow_stage": "checkout", "platform": "web"}
            self.state.client.xadd(self.state.keys.events, {"event": json.dumps(event)})
        entries = read(self.state, count=100)
        self.state.streams.first.acknowledge([entry.id for entry in entries], one_read=True)

    def recorded(self, name: str = "one") -> list[str]:
        """Return the session of each recorded event."""
        hashes = {Pseudonyms(SECRET).session(f"s-{number}"): f"s-{number}" for number in range(9)}
        files = sorted((self._directory / name).glob("*.gz"))
        lines = b"".join(gzip.decompress(path.read_bytes()) for path in files).splitlines()
        return [hashes[json.loads(line)["session_id"]] for line in lines]

    @property
    def status(self) -> RecorderStatus:
        found = RecorderStatus.read(texts(self.state, self.state.keys.recorder))
        assert found is not None
        return found

    def _beat(self) -> None:
        self.beats += 1


@pytest.fixture
def shop(state: State, tmp_path: Path) -> Iterator[Shop]:
    found = Shop(state, tmp_path)
    yield found
    found.close()


def refuse(*_: Any) -> None:  # noqa: ANN401 - any arguments
    raise OSError(errno.ENOSPC, "No space left on device")


def test_applied_events_are_recorded(shop: Shop) -> None:
    recorder = shop.recorder()
    assert not recorder.step()
    shop.happen("s-1", "s-2")
    recorder.step()
    assert shop.recorded() == ["s-1", "s-2"]
    assert (shop.status.written, shop.status.lost, shop.status.why) == (2, 0, "")
    assert shop.beats == 2


def test_event_that_cannot_be_read_is_left_out(shop: Shop) -> None:
    recorder = shop.recorder()
    recorder.step()
    shop.state.client.xadd(shop.state.keys.events, {"event": "{"})
    shop.happen("s-1")
    recorder.step()
    recorder.step()
    assert shop.recorded() == ["s-1"]
    assert (shop.status.written, shop.status.lost) == (1, 0)


def test_event_that_breaks_the_reader_costs_only_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_once(raw: bytes, *others: Any) -> bytes | None:  # noqa: ANN401 - passed on
        if b"s-2" in raw:
            raise OverflowError("Jane Doe")
        return line_of(raw, *others)

    monkeypatch.setattr(recorder_module, "line_of", fail_once)
    recorder = shop.recorder()
    recorder.step()
    shop.happen("s-1", "s-2", "s-3")
    with capture_logs() as logged:
        recorder.step()
    assert shop.recorded() == ["s-1", "s-3"]
    assert logged == [{"event": "event_not_recorded", "error": "OverflowError", "log_level": "error"}]
    recorder.step()
    assert (shop.recorded(), shop.status.lost) == (["s-1", "s-3"], 0)


def test_second_recorder_waits_for_its_turn(shop: Shop) -> None:
    one, two = shop.recorder("one"), shop.recorder("two")
    one.step()
    two.step()
    shop.happen("s-1")
    two.step()
    assert (shop.recorded("two"), two.has_turn) == ([], False)
    shop.state.client.delete(shop.state.keys.recorder_turn)
    two.step()
    assert shop.recorded("two") == ["s-1"]


def test_crash_before_removal_repeats_events_and_loses_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = shop.recorder()
    recorder.step()
    shop.happen("s-1")

    def die(*_: object) -> None:
        raise ServerUnavailableError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Copies, "remove", die)
        with pytest.raises(ServerUnavailableError):
            recorder.step()
    shop.state.client.delete(shop.state.keys.recorder_turn)
    shop.recorder("two").step()
    assert (shop.recorded("one"), shop.recorded("two")) == (["s-1"], ["s-1"])
    assert shop.status.lost == 0


def test_full_disk_keeps_copies_and_asks_for_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = shop.recorder()
    recorder.step()
    shop.happen("s-1")
    with monkeypatch.context() as patch:
        patch.setattr(RecordingFiles, "write", refuse)
        assert not recorder.step()
        assert shop.status.why == "no space left on device"
    recorder.step()
    assert shop.recorded() == []
    shop.time_s += DISK_AWAY_S
    recorder.step()
    assert shop.recorded() == ["s-1"]
    assert (shop.status.why, shop.status.lost) == ("", 0)


def test_stop_reports_the_end(shop: Shop) -> None:
    recorder = shop.recorder()
    recorder.step()
    recorder.stop()
    assert shop.status.is_stopped


def test_stop_while_redis_is_down_ends(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = shop.recorder()
    recorder.step()

    def die(*_: object, **__: object) -> None:
        raise ServerUnavailableError("gone")

    monkeypatch.setattr(Copies, "sign", die)
    recorder.stop()
    assert not shop.status.is_stopped


def test_recorder_continues_when_redis_is_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "STATE_AWAY_S", 0.0)
    monkeypatch.setattr(recorder_module, "ROUND_S", 0.0)
    stopped, recorder = Event(), shop.recorder()
    recorder.step()
    shop.happen("s-1")
    read, answers = Copies.read, iter([False, False, True])

    def read_later(copies: Copies, count: int) -> dict[str, list[Copy]]:
        if not next(answers, True):
            raise ServerUnavailableError("gone")
        stopped.set()
        return read(copies, count)

    monkeypatch.setattr(Copies, "read", read_later)
    recorder.run(stopped)
    assert (shop.recorded(), shop.status.lost, shop.status.is_stopped) == (["s-1"], 0, True)
