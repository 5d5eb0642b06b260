"""A damaged record of the spool costs only itself, and its bytes are counted."""

from pathlib import Path

import pytest

from tests.support.spools import delivered, files, named, opened
from worker.collector import spool as spool_module
from worker.collector.spool_records import HEADER

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
