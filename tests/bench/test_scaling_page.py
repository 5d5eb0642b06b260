"""The recommended sizes follow from the figures."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from bench.winback.sizing import FIGURES, MOST_BUSY, NODE_BYTES, Figures, figures_in, fullest, size

HAS: Figures = {
    "write": 8,
    "read": 2,
    "apply": 22,
    "ingest": 10,
    "spread": 1.25,
    "spread_ingest": 20,
    "anonymous": 200,
    "known": 600,
    "contacted": 2600,
    "attempts": 70,
    "contact": 500,
    "worker": 500,
    "dispatched": 1000,
}


def test_a_size_is_what_one_works_out_by_hand() -> None:
    found = size(864_000, HAS)
    assert (found.events, found.sessions) == (1000, 6_048_000)
    assert found.contacts == pytest.approx(7)
    # Sessions of 0.9 x 200 + 0.1 x 600 bytes for 7 days, and 2000 more of 7 % for 30 days.
    assert found.memory_bytes == pytest.approx(6_048_000 * 240 + 864_000 * 0.07 * 30 * 2000)
    assert found.stream_busy == pytest.approx(1000 * 10e-6)
    assert found.apply_busy == pytest.approx(1000 * 20e-6 + 7 * 500e-6)
    assert (found.nodes, found.streams, found.ingest, found.recover) == (1, 0, 1, 1)


@given(integers(1000, 100_000_000))
def test_recommended_size_is_enough(shoppers: int) -> None:
    found = size(shoppers, HAS)
    alone = found.stream_busy if found.streams == 0 else 0
    assert alone + found.apply_busy * fullest(found.nodes) / found.nodes <= MOST_BUSY
    assert found.memory_bytes * fullest(found.nodes) / found.nodes <= NODE_BYTES
    assert found.streams == 0 or found.stream_busy / found.streams <= MOST_BUSY
    assert found.contacts <= found.recover * HAS["attempts"] * MOST_BUSY


def test_more_than_a_cluster_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="too many for 64 nodes"):
        size(10**9, HAS)


def test_partitions_are_dealt_out_as_the_slots_are() -> None:
    assert fullest(1) == 1
    assert fullest(64) >= 1
    assert 1 < fullest(3) < 1.2


def test_figures_are_the_medians_of_a_file_of_results(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    listed = [{"name": name, "rounds": [1, HAS[short], 1_000_000]} for short, (name, _) in FIGURES.items()]
    results.write_text(json.dumps({"figures": listed}), encoding="utf-8")
    assert figures_in(results) == HAS
