"""`python -m tests.faults`: makes every fault happen, prints a table, and ends with 1 if a promise was not kept."""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.all import ALL
from tests.faults.fault import Result, run

COLUMNS = ("runs", "sessions", "requests", "contacts", "unknown", "duplicates", "losses", "violations")


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help="numbers with commas between: 3,4b,13; 3 means 3a, 3b ...")
    parser.add_argument("--runs", type=int, default=20, help="seeded runs of each fault")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    asked = parser.parse_args()
    wanted = [number for number in asked.only.split(",") if number]
    faults = [fault for fault in ALL if not wanted or any(_is(fault.number, number) for number in wanted)]
    console = Console(width=None if sys.stdout.isatty() else 150)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="winback-faults-") as directory:
        for fault in faults:
            result = run(fault, range(asked.seed, asked.seed + asked.runs), Path(directory))
            results.append(result)
            console.print(_line(result), highlight=False)
            for verdict in result.verdicts:
                for problem in verdict.violations:
                    console.print(f"[red]{problem}", highlight=False, markup=False)
    console.print(_table(results))
    if asked.json:
        asked.json.write_text(json.dumps([_figures(result) for result in results], indent=2) + "\n", encoding="utf-8")
    return int(any(result.totals()["violations"] for result in results))


def _is(number: str, wanted: str) -> bool:
    return number == wanted or (number.startswith(wanted) and number[len(wanted) :].isalpha())


def _figures(result: Result) -> dict[str, object]:
    totals = result.totals()
    times = sorted(result.recovered_s) or [0.0]
    return {
        "fault": result.fault.number,
        "title": result.fault.title,
        **{name: totals[name] for name in COLUMNS},
        "recovered_median_s": round(statistics.median(times), 2),
        "recovered_max_s": round(times[-1], 2),
    }


def _line(result: Result) -> str:
    figures = _figures(result)
    return f"{figures['fault']:>4} {figures['title']}: " + ", ".join(f"{figures[name]} {name}" for name in COLUMNS)


def _table(results: list[Result]) -> Table:
    table = Table(title="Faults", caption="recovered: from the end of the fault until everything had its outcome (s)")
    table.add_column("#")
    table.add_column("fault")
    for name in (*COLUMNS, "recovered", "longest"):
        table.add_column(name, justify="right")
    for result in results:
        figures = _figures(result)
        row = [figures[name] for name in ("fault", "title", *COLUMNS, "recovered_median_s", "recovered_max_s")]
        table.add_row(*map(str, row), style="red" if figures["violations"] else "")
    return table


if __name__ == "__main__":
    sys.exit(main())
