"""Every fault was run often enough, and no promise was broken in the last runs."""

from tests.faults.all import ALL
from tests.faults.figures import kept

FIRST_RUNS = 3
"""Faults that were added since the last long run have had this many runs; the next long run brings them to twenty."""
ADDED = frozenset(
    {"4c", "6b", "13e", "13f", "28a", "31a"}
    | {f"23{letter}" for letter in "abcdefg"}
    | {"24a", "24b", "24c"}
    | {f"25{letter}" for letter in "abcde"}
    | {f"26{letter}" for letter in "abcd"}
    | {f"27{letter}" for letter in "abcdefg"}
)


def test_every_fault_was_made_to_happen_often_enough_and_nothing_was_lost_or_doubled() -> None:
    rows = {row["fault"]: row for row in kept()}
    assert list(rows) == [fault.number for fault in ALL]
    for fault in ALL:
        row = rows[fault.number]
        assert row["runs"] >= min(FIRST_RUNS if fault.number in ADDED else 20, fault.most_runs)
        assert (row["duplicates"], row["losses"], row["violations"]) == (0, 0, 0)
