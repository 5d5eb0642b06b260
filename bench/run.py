"""All benches in one go, one table: `make bench`. Ratios of one run are comparable; figures are this machine's."""

import os
import platform
import sys
from statistics import median

from rich.console import Console
from rich.table import Table

from bench import attempts, crypt, ingest, memory, sweep

GOALS = {
    "ingest, events a second": "30,000",
    "ingest against plain pipelined HSET+ZADD": "0.8",
    "empty sweep, a million waiting, ms": "50",
    "claimed a second, into outreaches": "20,000",
    "bytes for a waiting session": "800",
    "policy and encryption, ingest of an event, processor time against without": "1.15",
    "policy and encryption, attempt without network, processor time against without": "1.25",
    "attempts a second, 100 ms API, prefork 32": "200",
}


def rows() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    rounds = ingest.measure()
    found.append(("ingest, events a second", _spread([ours for ours, _ in rounds])))
    found.append(("plain pipelined HSET+ZADD, events a second", _spread([plain for _, plain in rounds])))
    ratios = [ours / plain for ours, plain in rounds]
    found.append(
        ("ingest against plain pipelined HSET+ZADD", f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    )
    swept = sweep.measure()
    found.append(("empty sweep, ten thousand waiting, ms", f"{swept['few']:.1f}"))
    found.append(("empty sweep, a million waiting, ms", f"{swept['many']:.1f}"))
    found.append(("claimed a second, into outreaches", f"{swept['outreaches']:,.0f}"))
    found.append(("claimed a second, unreachable", f"{swept['unreachable']:,.0f}"))
    found.append(("bytes for a waiting session", f"{memory.measure():.0f}"))
    for what, pairs in crypt.measure(5).items():
        found.append(
            (f"{what}, processor time against without", "{:.2f} ({:.2f} to {:.2f})".format(*crypt.ratio(pairs)))
        )
    for pool, concurrency in (("prefork", 32), ("threads", 32)):
        ours, bare = attempts.measure(pool, concurrency, 4000)
        found.append((f"attempts a second, 100 ms API, {pool} {concurrency}", f"{ours:.0f}"))
        found.append((f"against bare httpx with as many connections, {pool}", f"{ours / bare:.2f} ({bare:.0f}/s)"))
    return found


def _spread(figures: list[float]) -> str:
    return f"{median(figures):,.0f} ({min(figures):,.0f} to {max(figures):,.0f})"


if __name__ == "__main__":
    machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    table = Table("what", "median (min to max)", "goal", title=f"Winback on {machine}", title_justify="left")
    for what, figure in rows():
        table.add_row(what, figure, GOALS.get(what, ""))
    Console(width=max(110, Console().width)).print(table)
    sys.exit(0)
