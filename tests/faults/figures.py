"""The figures of the runs, kept in `docs/faults.json` and `docs/soak.json`.

Cog puts them on `docs/explanation/reliability.md`.
"""

import fcntl
import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.page import fill
from tests.faults.fault import Result

DOCS = Path(__file__).parents[2] / "docs"
KEPT, PAGE = DOCS / "faults.json", DOCS / "explanation" / "reliability.md"
COUNTS = ("runs", "sessions", "requests", "contacts", "unknown", "duplicates", "losses", "violations")
SOAKED = DOCS / "soak.json"
MB_PARTS = ("ingest", "recover", "sweep", "beat", "redis")

Figures = dict[str, Any]


def figures_of(result: Result) -> Figures:
    """Return the results of all runs of one fault, as JSON data."""
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
    """Replace earlier figures of the same faults, and update the page."""
    with PAGE.open(encoding="utf-8") as page:
        # Several runs can end at the same time.
        fcntl.flock(page, fcntl.LOCK_EX)
        known = {row["fault"]: row for row in kept()} | {row["fault"]: row for row in figures}
        rows = [known[number] for number in order if number in known]
        KEPT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        fill(PAGE)


def keep_soak(figures: Figures) -> None:
    """Replace the figures of the last soak, and update the page."""
    SOAKED.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    fill(PAGE)


def soak_text() -> str:
    """Describe the last soak in a sentence and a table of memory."""
    figures: Figures = json.loads(SOAKED.read_text(encoding="utf-8"))
    told = (
        f"**Fault 22, all of it at once:** {figures['minutes']} minutes, {figures['events_a_second']:,} events a "
        f"second, {figures['faults']} faults one after another at random; {figures['sessions']:,} sessions whose story "
        f"is known, {figures['requests']:,} requests, {figures['contacts']:,} contacts, {figures['duplicates']} "
        f"duplicates, {figures['losses']} losses; everything had its outcome {figures['settled_after_s']} s after the "
        "last event. Memory in MB, the most in each quarter of the time (all processes of a role; Redis keeps what "
        "happened):"
    )
    rows = [
        f"| {name} | {' | '.join(f'{size:,.0f}' for size in figures['memory_mb_by_quarter'][name])} |"
        for name in MB_PARTS
    ]
    return "\n".join([told, "", "| | first | second | third | last |", "|---|--:|--:|--:|--:|", *rows])


def kept() -> list[Figures]:
    """Return the figures of the last runs."""
    rows: list[Figures] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []
    return rows


def table() -> str:
    """Return the kept figures as a table in Markdown, with a last row for all of them."""
    rows = kept()
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
