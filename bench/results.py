"""`bench/results.json`: the results of the last run, every round of it, and the machine."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure, Goal

KEPT = Path(__file__).with_name("results.json")


def machine(server: str) -> dict[str, Any]:
    """Describe this machine; `server` is the server's name and version."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "processors": os.cpu_count(),
        "processor": _line(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "memory_gb": round(int((_line(Path("/proc/meminfo"), "MemTotal") or "0 kB").split()[0]) / 1024**2, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "server": server,
    }


def to_data(figures: Sequence[Figure], described: dict[str, Any]) -> dict[str, Any]:
    """Return a run as JSON data; numbers with five significant digits."""
    rows = []
    for figure in figures:
        row = asdict(figure)
        row["rounds"] = [float(f"{value:.5g}") for value in figure.rounds]
        row["met"] = figure.met
        rows.append(row)
    return {"machine": described, "figures": rows}


def figures_of(data: dict[str, Any]) -> list[Figure]:
    """Return the figures of a stored run."""
    return [
        Figure(
            part=row["part"],
            name=row["name"],
            rounds=tuple(row["rounds"]),
            unit=row["unit"],
            goal=None if row["goal"] is None else Goal(**row["goal"]),
            note=row["note"],
        )
        for row in data["figures"]
    ]


def keep(figures: Sequence[Figure], described: dict[str, Any], *, replaces: Sequence[str] | None, to: Path) -> None:
    """Write figures; `replaces` names the measured parts, None for all: the other parts keep their stored figures."""
    kept = figures_of(json.loads(to.read_text(encoding="utf-8"))) if replaces is not None and to.exists() else []
    others = [figure for figure in kept if figure.part not in (replaces or ())]
    to.write_text(json.dumps(to_data([*others, *figures], described), indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    command = ["git", "-C", str(KEPT.parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _line(file: Path, name: str) -> str | None:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
