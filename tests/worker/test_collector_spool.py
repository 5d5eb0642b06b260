"""The spool keeps events in their order, within its limit, and loses none that it has taken."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.cipher import cipher_of
from tests.support.spools import delivered, files, named, opened
from worker.collector import spool as spool_module
from worker.collector.spool import SpoolFullError
from worker.collector.spool_records import pack, unpack
from worker.errors import StartError

KEY, OTHER = bytes(range(32)).hex(), bytes(range(1, 33)).hex()


def test_events_come_back_in_their_order(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        for number in range(0, 30, 3):
            spool.append(1000 + number, named(3, number))
        assert spool.oldest_ms() == 1000
        assert delivered(spool) == named(30)
        assert (spool.is_empty, spool.size, spool.oldest_ms(), files(tmp_path)) == (True, 0, None, [])


def test_events_survive_a_restart_with_the_same_id(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(1000, named(2))
    first = (tmp_path / "id").read_text()
    with opened(tmp_path) as spool:
        assert spool.oldest_ms() == 1000
        spool.append(2000, named(2, 2))
        assert delivered(spool) == named(4)
    assert (tmp_path / "id").read_text() == first


def test_delivery_and_appending_take_turns_in_one_segment(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(1000, named(1))
        chunk = spool.next()
        assert chunk is not None
        spool.append(2000, named(1, 1))
        spool.drop(chunk)
        assert (spool.is_empty, spool.oldest_ms()) == (False, 2000)
        assert delivered(spool) == named(1, 1)


def test_segments_are_removed_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 50)
    monkeypatch.setattr(spool_module, "CHUNK_BYTES", 1)
    with opened(tmp_path) as spool:
        for number in range(6):
            spool.append(1000 + number, named(1, number))
        assert len(files(tmp_path)) == 3
        assert delivered(spool, 2) == named(2)
        assert (len(files(tmp_path)), spool.oldest_ms()) == (2, 1002)
        assert spool.size == sum(file.stat().st_size for file in files(tmp_path))
        assert delivered(spool) == named(4, 2)


@pytest.mark.parametrize("cut", [1, 5, 15, 17, 30])
def test_torn_record_at_the_end_is_dropped(tmp_path: Path, cut: int) -> None:
    with opened(tmp_path) as spool:
        spool.append(1000, named(2))
        spool.append(2000, named(1, 2))
    (segment,) = files(tmp_path)
    os.truncate(segment, segment.stat().st_size - cut)
    with opened(tmp_path) as spool:
        spool.append(3000, named(1, 3))
        assert delivered(spool) == [*named(2), *named(1, 3)]


def test_segment_with_only_a_torn_record_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(1000, named(2))
    os.truncate(files(tmp_path)[0], 10)
    with opened(tmp_path) as spool:
        assert spool.is_empty
        assert files(tmp_path) == []


def test_full_spool_refuses_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    with opened(tmp_path, limit=100) as spool:
        spool.append(1000, named(2))
        with pytest.raises(SpoolFullError):
            spool.append(2000, named(2, 2))
        assert delivered(spool) == named(2)
        spool.append(3000, named(2, 4))
        assert delivered(spool) == named(2, 4)


def test_record_that_the_disk_refuses_is_not_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    with opened(tmp_path) as spool:
        spool.append(1000, named(1))
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", refuse)
            with pytest.raises(SpoolFullError):
                spool.append(2000, named(1, 1))
        spool.append(3000, named(1, 2))
        assert delivered(spool) == [*named(1), *named(1, 2)]
    with opened(tmp_path) as spool:
        assert spool.is_empty


def test_files_are_for_their_owner(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "spool") as spool:
        spool.append(1000, named(1))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new" / "spool").iterdir()}
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE((tmp_path / "new" / "spool").stat().st_mode) == 0o700


def test_second_collector_in_a_directory_is_refused(tmp_path: Path) -> None:
    with (
        opened(tmp_path),
        pytest.raises(StartError, match=r"^collect\.spool: another collector uses"),
        opened(tmp_path),
    ):
        pass


def test_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"^collect\.spool: .* can't be used"), opened(tmp_path / "file"):
        pass


def test_events_are_encrypted_under_the_first_key(tmp_path: Path) -> None:
    with opened(tmp_path, cipher_of(KEY)) as spool:
        spool.append(1000, named(1))
    assert b"session" not in files(tmp_path)[0].read_bytes()
    with opened(tmp_path, cipher_of(f"{OTHER},{KEY}")) as spool:
        assert delivered(spool) == named(1)


@pytest.mark.parametrize("keys", ["", OTHER])
def test_spool_under_an_unknown_key_stops_the_start(tmp_path: Path, keys: str) -> None:
    with opened(tmp_path, cipher_of(KEY)) as spool:
        spool.append(1000, named(1))
    with pytest.raises(StartError, match=r"^collect\.spool: .*encryption_keys"), opened(tmp_path, cipher_of(keys)):
        pass
    with opened(tmp_path, cipher_of(KEY)) as spool:
        assert delivered(spool) == named(1)


@given(st.lists(st.binary(max_size=30), max_size=6), st.data())
def test_torn_file_gives_whole_records_only(payloads: list[bytes], data: st.DataObject) -> None:
    content = b"".join(pack(number, payload) for number, payload in enumerate(payloads))
    cut = data.draw(st.integers(0, len(content)))
    found = [record.payload for record in unpack(content[:cut])]
    assert found == payloads[: len(found)]
    assert cut - sum(len(pack(0, payload)) for payload in found) < len(
        pack(0, b"" if found == payloads else payloads[len(found)])
    )
