"""A damaged record of the spool costs only itself, and its bytes are counted."""

import os
import time
from pathlib import Path

import pytest

from state.cipher import cipher_of
from tests.support.spools import delivered, files, named, opened
from worker.collector import spool as spool_module
from worker.collector import spool_quarantine
from worker.collector.spool_quarantine import FILE
from worker.collector.spool_records import HEADER, unpack

KEY, OTHER = bytes(range(32)).hex(), bytes(range(1, 33)).hex()
NOW_MS = 1_796_000_000_000
RECORD = HEADER.size + len(b'{"session_id":"s-1"}')


def flip(segment: Path, place: int) -> None:
    content = bytearray(segment.read_bytes())
    content[place] ^= 0x55
    segment.write_bytes(content)


@pytest.mark.parametrize("place", range(0, RECORD, 3))
@pytest.mark.parametrize("restarted", [False, True])
def test_damaged_record_costs_only_itself(tmp_path: Path, place: int, *, restarted: bool) -> None:
    with opened(tmp_path) as spool:
        for number in range(4):
            spool.append(NOW_MS + number, named(1, number))
        flip(files(tmp_path)[0], RECORD + place)
        if not restarted:
            assert delivered(spool) == [*named(1), *named(2, 2)]
            assert spool.damaged == RECORD
    if restarted:
        with opened(tmp_path) as spool:
            assert delivered(spool) == [*named(1), *named(2, 2)]
            assert spool.damaged == RECORD


def test_damaged_record_at_the_end_is_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(NOW_MS, named(1))
        spool.append(NOW_MS, named(1, 1))
    flip(files(tmp_path)[0], 2 * RECORD - 1)
    with opened(tmp_path) as spool:
        assert delivered(spool) == named(1)
        assert spool.damaged == RECORD


def test_quarantined_records_count_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(NOW_MS, named(1))
        flip(files(tmp_path)[0], RECORD - 1)
        assert delivered(spool) == []
    changed_s = time.time() - 60
    os.utime(tmp_path / FILE, (changed_s, changed_s))
    with opened(tmp_path) as spool:
        age_ms = spool.quarantined.earlier_age_ms()
        assert age_ms is not None
        assert 60_000 <= age_ms < 90_000
        assert (spool.damaged, spool.quarantined.earlier_bytes) == (RECORD, RECORD)
    (tmp_path / FILE).unlink()
    with opened(tmp_path) as spool:
        assert (spool.damaged, spool.quarantined.earlier_age_ms()) == (0, None)


def test_segment_without_a_readable_record_is_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(NOW_MS, named(1))
    flip(files(tmp_path)[0], RECORD - 1)
    with opened(tmp_path) as spool:
        assert (spool.is_empty, spool.damaged, files(tmp_path)) == (True, RECORD, [])


def test_removed_file_is_counted_and_the_rest_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 1)
    with opened(tmp_path) as spool:
        for number in range(2):
            spool.append(NOW_MS + number, named(1, number))
        files(tmp_path)[0].unlink()
        assert delivered(spool) == named(1, 1)
        assert spool.damaged == RECORD


def test_damage_is_counted_once_if_delivery_fails(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.append(NOW_MS, named(1))
        spool.append(NOW_MS, named(1, 1))
        flip(files(tmp_path)[0], RECORD - 1)
        spool.next()
        assert delivered(spool) == named(1, 1)
        assert spool.damaged == RECORD


def test_damaged_record_is_kept_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path, cipher_of(KEY)) as spool:
        for number in range(3):
            spool.append(NOW_MS + number, named(1, number))
        content = files(tmp_path)[0].read_bytes()
        second = [*unpack(content)][1]
        flip(files(tmp_path)[0], second.end - 1)
        damaged = files(tmp_path)[0].read_bytes()[second.start : second.end]
        assert delivered(spool) == [*named(1), *named(1, 2)]
    kept = tmp_path / FILE
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (damaged, 0o600)


def test_record_of_a_missing_key_blocks_no_other_and_can_be_renamed(tmp_path: Path) -> None:
    for number, key in enumerate((KEY, OTHER, KEY)):
        with opened(tmp_path, cipher_of(f"{key},{KEY if key == OTHER else OTHER}")) as spool:
            spool.append(NOW_MS + number, named(1, number))
    parts = files(tmp_path)
    parts[0].write_bytes(b"".join(part.read_bytes() for part in parts))
    for part in parts[1:]:
        part.unlink()
    with opened(tmp_path, cipher_of(KEY)) as spool:
        assert delivered(spool) == [*named(1), *named(1, 2)]
        assert spool.damaged > 0
    (tmp_path / FILE).rename(tmp_path / "000000000000.events")
    with opened(tmp_path, cipher_of(f"{KEY},{OTHER}")) as spool:
        assert (delivered(spool), spool.damaged) == (named(1, 1), 0)


def test_full_quarantine_only_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_quarantine, "LIMIT_BYTES", RECORD)
    with opened(tmp_path) as spool:
        for number in range(2):
            spool.append(NOW_MS + number, named(1, number))
            flip(files(tmp_path)[0], RECORD - 1)
            assert delivered(spool) == []
        assert spool.damaged == 2 * RECORD
    assert (tmp_path / FILE).stat().st_size == RECORD
