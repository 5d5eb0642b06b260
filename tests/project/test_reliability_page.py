"""Every fault was run often enough, and no promise was broken in the last runs."""

from tests.faults.all import ALL
from tests.faults.figures import kept


def test_every_fault_ran_often_enough_without_loss_or_duplicate() -> None:
    rows = {row["fault"]: row for row in kept()}
    assert list(rows) == [fault.number for fault in ALL]
    for fault in ALL:
        row = rows[fault.number]
        assert row["runs"] >= min(20, fault.most_runs)
        assert (row["duplicates"], row["losses"], row["violations"]) == (0, 0, 0)
