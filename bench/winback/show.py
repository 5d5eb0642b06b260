"""Prints the results of one bench: `python -m bench.winback.<module> [quick]`."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from bench.figures import Figure


def show(measure: Callable[..., list[Figure]]) -> None:
    """Print the figures of a bench as lines, and write them as JSON to the named file, if any."""
    words = sys.argv[1:]
    figures = measure(quick="quick" in words)
    for figure in figures:
        goal = "" if figure.goal is None else f"   goal {figure.goal}: {'met' if figure.met else 'MISSED'}"
        spread = f"({min(figure.rounds):,.2f} to {max(figure.rounds):,.2f}, {len(figure.rounds)} rounds)"
        print(f"{figure.name}: {figure.median:,.2f} {figure.unit} {spread}{goal}")
    for word in words:
        if word.endswith(".json"):
            Path(word).write_text(json.dumps([asdict(figure) for figure in figures], indent=1), encoding="utf-8")
