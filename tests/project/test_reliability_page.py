"""Every fault was run often enough, and no promise was broken in the last runs."""

from tests.faults.all import ALL
from tests.faults.figures import kept


def test_every_fault_was_made_to_happen_often_enough_and_nothing_was_lost_or_doubled() -> None:
    rows = {row["fault"]: row for row in kept()}
    assert list(rows) == [fault.number for fault in ALL]
    for fault in ALL:
        row = rows[fault.number]
        assert row["runs"] >= min(20, fault.most_runs)
        assert (row["duplicates"], row["losses"], row["violations"]) == (0, 0, 0)
