"""`python -m tests.faults`: causes every fault, prints a table, and exits with 1 if a promise was broken."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.all import ALL
from tests.faults.fault import run
from tests.faults.figures import COUNTS, Figures, figures_of, keep
from tests.faults.settings import EXPERIMENT, POOL, RECORDER


def main() -> int:
    """Run the requested faults; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help="numbers with commas between: 3,4b,13; 3 means 3a, 3b ...")
    parser.add_argument("--runs", type=int, default=20, help="seeded runs of each fault")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument(
        "--pool",
        choices=("threads", "prefork"),
        default="threads",
        help="the recover worker's, except for faults of single processes",
    )
    parser.add_argument("--experiment", action="store_true", help="with an experiment of three arms and a holdout")
    parser.add_argument("--record", action="store_true", help="with a recorder")
    parser.add_argument("--keep", action="store_true", help="write the figures into docs/")
    asked = parser.parse_args()
    wanted = [number for number in asked.only.split(",") if number]
    faults = [fault for fault in ALL if not wanted or any(_is(fault.number, number) for number in wanted)]
    console = Console(width=None if sys.stdout.isatty() else 150)
    env = {POOL: asked.pool, **(EXPERIMENT if asked.experiment else {}), **(RECORDER if asked.record else {})}
    rows: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="winback-faults-") as directory:
        for fault in faults:
            result = run(fault, range(asked.seed, asked.seed + asked.runs), Path(directory), env)
            rows.append(figures_of(result))
            console.print(_line(rows[-1]), highlight=False)
            for verdict in result.verdicts:
                for problem in verdict.violations:
                    console.print(problem, style="red", highlight=False, markup=False)
            if asked.keep:
                keep(rows, [known.number for known in ALL])
    console.print(_table(rows))
    return int(any(row["violations"] for row in rows))


def _is(number: str, wanted: str) -> bool:
    return number == wanted or (number.startswith(wanted) and number[len(wanted) :].isalpha())


def _line(row: Figures) -> str:
    return f"{row['fault']:>4} {row['title']}: " + ", ".join(f"{row[name]} {name}" for name in COUNTS)


def _table(rows: Sequence[Figures]) -> Table:
    table = Table(title="Faults", caption="recovered: from the end of the fault until everything had its outcome (s)")
    table.add_column("#")
    table.add_column("fault")
    for name in (*COUNTS, "recovered", "longest"):
        table.add_column(name, justify="right")
    for row in rows:
        cells = [row[name] for name in ("fault", "title", *COUNTS, "recovered_median_s", "recovered_max_s")]
        table.add_row(*map(str, cells), style="red" if row["violations"] else "")
    return table


if __name__ == "__main__":
    sys.exit(main())
