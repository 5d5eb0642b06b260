"""The figures on the page about speed are those of the last run, and every part of it has its place there."""

import json

from bench.figures import Figure, Goal
from bench.page import PAGE, with_figures
from bench.results import KEPT, to_data

DATA = json.loads(KEPT.read_text(encoding="utf-8"))


def test_the_page_shows_the_figures_that_were_kept() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_figures(page, DATA)


def test_every_part_that_was_measured_beside_the_alternatives_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    parts = {row["part"] for row in DATA["figures"] if row["part"].startswith("beside")}
    assert len(parts) == 3
    for part in parts:
        assert page.count(f"<!-- figures of {part}: begin -->") == 1


def test_a_figure_that_changed_changes_the_page() -> None:
    page = "<!-- figures of sweep: begin -->\nold\n<!-- figures of sweep: end -->\nand the rest"
    new = with_figures(page, to_data([Figure("sweep", "empty", (13.0,), "ms", Goal("<=", 20))], DATA["machine"]))
    assert "old" not in new
    assert "| empty | 13 ms | <= 20 | yes |" in new
    assert new.endswith("and the rest")
