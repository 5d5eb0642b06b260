"""The figures on the performance page are those of the last run, and every part of a run is on the page."""

from bench.charts import FOLDER, charts
from bench.figures import Figure, Goal
from bench.page import PAGE, figures, kept
from bench.results import to_data


def test_every_compared_part_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    parts = {row["part"] for row in kept()["figures"] if row["part"].startswith("compared with")}
    assert len(parts) == 3
    for part in parts:
        assert page.count(f'cog.outl(figures("{part}"))') == 1


def test_a_figure_that_changed_changes_the_table() -> None:
    table = figures("sweep", to_data([Figure("sweep", "empty", (13.0,), "ms", Goal("<=", 20))], {}))
    assert table.splitlines()[2:] == ["| empty | 13 ms | <= 20 | yes |"]


def test_charts_show_the_last_run() -> None:
    assert {name: (FOLDER / name).read_text(encoding="utf-8") for name in charts()} == charts()
