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
SOAKED = DOCS / "soak.json"
MB_PARTS = ("ingest", "recover", "sweep", "beat", "redis")

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
        PAGE.write_text(with_section(page.read(), "figures", table(rows)), encoding="utf-8")


def keep_soak(figures: Figures) -> None:
    """Put the figures of a soak in the place of the last one's."""
    SOAKED.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(with_section(PAGE.read_text(encoding="utf-8"), "soak", soak_text(figures)), encoding="utf-8")


def with_section(page: str, name: str, text: str) -> str:
    """Return a page with this text between the marks of a section."""
    begins, ends = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, _, rest = page.partition(begins)
    _, _, tail = rest.partition(ends)
    return f"{head}{begins}\n{text}\n{ends}{tail}"


def soak_text(figures: Figures) -> str:
    """Tell of a soak in a sentence and a table of memory."""
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
