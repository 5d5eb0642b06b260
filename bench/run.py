"""All benches in one go, one table: `make bench`. Ratios of one run are comparable; figures are this machine's."""

import os
import platform
import sys
from statistics import median

from rich.console import Console
from rich.table import Table

from bench import attempts, crypt, ingest, memory
from bench.own import cluster, delay, dispatch, roles, scaling, sizes, stream

GOALS = {
    "ingest, events a second": "30,000",
    "ingest against plain pipelined HSET+ZADD": "0.8",
    "policy and encryption, ingest of an event, processor time against without": "1.15",
    "policy and encryption, attempt without network, processor time against without": "1.25",
}


PARTS = (sizes, scaling, stream, memory, attempts, dispatch, delay, roles, cluster)


def rows() -> list[tuple[str, str, str]]:
    found: list[tuple[str, str]] = []
    rounds = ingest.measure()
    found.append(("ingest, events a second", _spread([ours for ours, _ in rounds])))
    found.append(("plain pipelined HSET+ZADD, events a second", _spread([plain for _, plain in rounds])))
    ratios = [ours / plain for ours, plain in rounds]
    found.append(
        ("ingest against plain pipelined HSET+ZADD", f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    )
    for what, pairs in crypt.measure(5).items():
        found.append(
            (f"{what}, processor time against without", "{:.2f} ({:.2f} to {:.2f})".format(*crypt.ratio(pairs)))
        )
    figures = [figure for part in PARTS for figure in part.measure()]
    return [
        *((what, figure, GOALS.get(what, "")) for what, figure in found),
        *((f.name, f"{f.median:,.2f} {f.unit}", "" if f.goal is None else str(f.goal)) for f in figures),
    ]


def _spread(figures: list[float]) -> str:
    return f"{median(figures):,.0f} ({min(figures):,.0f} to {max(figures):,.0f})"


if __name__ == "__main__":
    machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    table = Table("what", "median (min to max)", "goal", title=f"Winback on {machine}", title_justify="left")
    for row in rows():
        table.add_row(*row)
    Console(width=max(110, Console().width)).print(table)
    sys.exit(0)
