"""The figures on the page are those of the last runs, and no promise was broken in them."""

import json

from tests.faults.all import ALL
from tests.faults.figures import PAGE, SOAKED, kept, soak_text, table, with_section


def test_the_page_shows_the_figures_that_were_kept() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_section(page, "figures", table(kept()))
    assert page == with_section(page, "soak", soak_text(json.loads(SOAKED.read_text(encoding="utf-8"))))


def test_every_fault_was_made_to_happen_often_enough_and_nothing_was_lost_or_doubled() -> None:
    rows = {row["fault"]: row for row in kept()}
    assert list(rows) == [fault.number for fault in ALL]
    for fault in ALL:
        row = rows[fault.number]
        assert row["runs"] >= min(20, fault.most_runs)
        assert (row["duplicates"], row["losses"], row["violations"]) == (0, 0, 0)
