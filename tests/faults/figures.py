"""The figures of the runs: kept in `docs/faults.json`, shown in `docs/reliability.md`."""

import fcntl
import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.faults.fault import Result

DOCS = Path(__file__).parents[2] / "docs"
KEPT, PAGE = DOCS / "faults.json", DOCS / "reliability.md"
COUNTS = ("runs", "sessions", "requests", "contacts", "unknown", "duplicates", "losses", "violations")
BEGINS, ENDS = "<!-- figures: begin -->", "<!-- figures: end -->"

Figures = dict[str, Any]


def figures_of(result: Result) -> Figures:
    """Return what all runs of one fault came to, as JSON data."""
    totals = result.totals()
    times = sorted(result.recovered_s) or [0.0]
    return {
        "fault": result.fault.number,
        "title": result.fault.title,
        **{name: totals[name] for name in COUNTS},
        "recovered_median_s": round(statistics.median(times), 1),
        "recovered_max_s": round(times[-1], 1),
    }


def keep(figures: Iterable[Figures], order: Sequence[str]) -> None:
    """Put figures in the place of earlier ones of the same faults, and show all of them on the page."""
    with PAGE.open(encoding="utf-8") as page:
        # Several runs may go on side by side.
        fcntl.flock(page, fcntl.LOCK_EX)
        known = {row["fault"]: row for row in kept()} | {row["fault"]: row for row in figures}
        rows = [known[number] for number in order if number in known]
        KEPT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        head, _, rest = page.read().partition(BEGINS)
        _, _, tail = rest.partition(ENDS)
        PAGE.write_text(f"{head}{BEGINS}\n{table(rows)}\n{ENDS}{tail}", encoding="utf-8")


def kept() -> list[Figures]:
    """Return the figures of the last runs."""
    rows: list[Figures] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []
    return rows


def table(rows: Sequence[Figures]) -> str:
    """Write the figures as a table in Markdown, with a last row for all of them."""
    names = ("runs", "sessions", "requests", "contacts", "unknown", "duplicates", "losses")
    lines = [
        f"| # | fault | {' | '.join(names)} | recovered, median (longest) |",
        "|---|---|" + "--:|" * (len(names) + 1),
    ]
    for row in rows:
        numbers = " | ".join(f"{row[name]:,}" for name in names)
        seconds = f"{row['recovered_median_s']} s ({row['recovered_max_s']} s)"
        lines.append(f"| {row['fault']} | {row['title']} | {numbers} | {seconds} |")
    sums = " | ".join(f"**{sum(row[name] for row in rows):,}**" for name in names)
    return "\n".join([*lines, f"| | **all** | {sums} | |"])
