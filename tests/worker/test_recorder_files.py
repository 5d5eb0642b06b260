"""The files of a recording: rotation, limits, and what is left after a crash or on a full disk."""

import errno
import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from tests.support.durations import DAY_MS, HOUR_MS
from worker.errors import StartError
from worker.recorder.files import RecordingFiles

_NOW_MS = 1_796_097_600_000  # 2026-12-01T04:00:00Z
_LIMIT = 40_000


@pytest.fixture
def files(tmp_path: Path) -> Iterator[RecordingFiles]:
    found = files_in(tmp_path)
    found.open()
    yield found
    found.close()


def files_in(directory: Path, host_ms: int = _NOW_MS + 2 * DAY_MS) -> RecordingFiles:
    return RecordingFiles(
        directory / "rec", limit=_LIMIT, rotate_after_ms=HOUR_MS, keep_ms=DAY_MS, host_ms=lambda: host_ms
    )


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "rec").glob("*.gz"))


def contents(directory: Path) -> list[bytes]:
    return [gzip.decompress((directory / "rec" / name).read_bytes()) for name in names(directory)]


def test_each_write_is_complete_and_private(files: RecordingFiles, tmp_path: Path) -> None:
    files.write(b"one\n", _NOW_MS)
    assert contents(tmp_path) == [b"one\n"]
    files.write(b"two\n", _NOW_MS + 1)
    assert names(tmp_path) == ["winback-20261201T040000Z.jsonl.gz"]
    assert contents(tmp_path) == [b"one\ntwo\n"]
    assert (tmp_path / "rec" / names(tmp_path)[0]).stat().st_mode & 0o777 == 0o600


def test_file_ends_after_its_time(files: RecordingFiles, tmp_path: Path) -> None:
    files.write(b"one\n", _NOW_MS)
    files.write(b"two\n", _NOW_MS + HOUR_MS)
    assert contents(tmp_path) == [b"one\n", b"two\n"]


def test_file_ends_at_its_part_of_the_limit(files: RecordingFiles, tmp_path: Path) -> None:
    for number in range(4):
        files.write(os.urandom(_LIMIT // 30), _NOW_MS + number)
    assert len(names(tmp_path)) == 4


def test_oldest_files_make_room(files: RecordingFiles, tmp_path: Path) -> None:
    for number in range(60):
        files.write(os.urandom(_LIMIT // 30), _NOW_MS + number * 60_000)
    assert files.size <= _LIMIT
    assert names(tmp_path)[-1] == "winback-20261201T045900Z.jsonl.gz"
    assert "winback-20261201T040000Z.jsonl.gz" not in names(tmp_path)


def test_files_past_their_time_are_removed(files: RecordingFiles, tmp_path: Path) -> None:
    files.write(b"one\n", _NOW_MS)
    files.write(b"two\n", _NOW_MS + DAY_MS)
    files.write(b"three\n", _NOW_MS + DAY_MS + 2 * HOUR_MS)
    assert contents(tmp_path) == [b"two\n", b"three\n"]


def test_other_files_are_left(files: RecordingFiles, tmp_path: Path) -> None:
    other = tmp_path / "rec" / "notes.jsonl.gz"
    other.write_bytes(b"x" * 2 * _LIMIT)
    files.write(b"one\n", _NOW_MS)
    assert other.exists()


def test_clock_that_jumps_ahead_removes_nothing(tmp_path: Path) -> None:
    found = files_in(tmp_path, host_ms=_NOW_MS)
    found.open()
    for ahead_ms in (0, 365 * DAY_MS, 366 * DAY_MS):
        found.write(b"one\n", _NOW_MS + ahead_ms)
    found.close()
    assert len(names(tmp_path)) == 3


def test_removed_file_is_followed_by_another(files: RecordingFiles, tmp_path: Path) -> None:
    files.write(b"one\n", _NOW_MS)
    (tmp_path / "rec" / names(tmp_path)[0]).unlink()
    files.write(b"two\n", _NOW_MS + 1)
    assert contents(tmp_path) == [b"two\n"]


def test_removed_directory_is_an_error(files: RecordingFiles, tmp_path: Path) -> None:
    files.write(b"one\n", _NOW_MS)
    rmtree(tmp_path / "rec")
    with pytest.raises(OSError, match="No such file"):
        files.write(b"two\n", _NOW_MS + 1)
    assert files.size == 0


def test_clock_put_back_begins_a_file(files: RecordingFiles, tmp_path: Path) -> None:
    files.write(b"one\n", _NOW_MS)
    files.write(b"two\n", _NOW_MS - HOUR_MS)
    assert contents(tmp_path) == [b"two\n", b"one\n"]


def test_restart_begins_a_file_and_overwrites_none(files: RecordingFiles, tmp_path: Path) -> None:
    files.write(b"one\n", _NOW_MS)
    files.close()
    again = files_in(tmp_path)
    again.open()
    again.write(b"two\n", _NOW_MS)
    again.close()
    assert contents(tmp_path) == [b"one\n", b"two\n"]


def test_second_recorder_cannot_use_the_directory(files: RecordingFiles, tmp_path: Path) -> None:
    assert files.size == 0
    with pytest.raises(StartError, match="another recorder uses"):
        files_in(tmp_path).open()


def test_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rec").write_text("")
    with pytest.raises(StartError, match="can't be used"):
        files_in(tmp_path).open()


def test_full_disk_leaves_complete_members(
    files: RecordingFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(b"one\n", _NOW_MS)
    real = os.write

    def write_some(file: int, data: bytes) -> int:
        if len(data) < 15:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[:15])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write_some)
        with pytest.raises(OSError, match="No space"):
            files.write(b"two\n", _NOW_MS + 1)
    assert contents(tmp_path) == [b"one\n"]
    files.write(b"two\n", _NOW_MS + 2)
    assert contents(tmp_path) == [b"one\n", b"two\n"]


def test_full_disk_leaves_no_empty_file(files: RecordingFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(OSError, match="No space"):
        files.write(b"one\n", _NOW_MS)
    assert names(tmp_path) == []
