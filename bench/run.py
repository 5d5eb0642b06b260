"""All benches in one run, one table, and `bench/results.json`: `make bench`.

Ratios of one run can be compared; other figures are this machine's.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from redis import Redis
from rich.console import Console

from bench import extras, page
from bench.figures import Figure
from bench.progress import say
from bench.results import KEPT, keep, machine
from bench.table import table
from bench.winback import sizing
from worker.supervision.embedded_valkey import EmbeddedValkey

PARTS = {
    "writing": "bench.alternatives.throughput",
    "noticing": "bench.alternatives.noticing",
    "scaling": "bench.winback.scaling",
    "sizes": "bench.winback.sizes",
    "stream": "bench.winback.stream",
    "cluster": "bench.winback.cluster",
    "memory": "bench.memory",
    "attempts": "bench.attempts",
    "dispatch": "bench.winback.dispatch",
    "collecting": "bench.winback.collecting",
    "delay": "bench.winback.delay",
    "roles": "bench.winback.roles",
    "encryption": "bench.encryption",
    "reporting": "bench.winback.reporting",
    "simulating": "bench.winback.simulating",
    "tuning": "bench.winback.tuning",
    "tuning-10m": "bench.winback.tuning_10m",
}
"""Each is a module with `measure(*, quick: bool = False) -> list[Figure]`."""
ON_REQUEST = frozenset({"tuning-10m"})
"""Parts that take long and only run if they are named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the requested parts, and print the table."""
    options = _options(arguments)
    extras.install()
    described = machine(_server())
    figures: list[Figure] = []
    for name in options.only or [name for name in PARTS if name not in ON_REQUEST]:
        say(f"== {name}")
        figures += cast("Callable[..., list[Figure]]", import_module(PARTS[name]).measure)(quick=options.quick)
    if options.to is not None:
        replaces = sorted({figure.part for figure in figures}) if options.only else None
        keep(figures, described, replaces=replaces, to=options.to)
        if options.to == KEPT:
            page.fill(page.PAGE, sizing.PAGE)
    console = Console()
    console = console if console.is_terminal else Console(width=160)
    console.print(table(figures, described))
    missed = [figure.name for figure in figures if figure.met is False]
    if missed:
        say(f"goals missed: {'; '.join(missed)}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(PARTS), help="only this part; can be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes and one round: whether it runs, not how fast")
    parser.add_argument(
        "--to", type=Path, help=f"where the results go (default: {KEPT.name} next to this file; none if quick)"
    )
    options = parser.parse_args(arguments)
    if options.to is None and not options.quick:
        options.to = KEPT
    return options


def _server() -> str:
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        info = Redis.from_url(server.url).info("server")
        if "valkey_version" not in info:
            return f"Redis {info['redis_version']}"
        on = " with jemalloc" if "jemalloc" in Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8") else ""
        return f"Valkey {info['valkey_version']}{on}"


if __name__ == "__main__":
    sys.exit(main())
