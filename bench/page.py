"""The texts that cog puts on `docs/explanation/performance-figures.md`: the figures of the last run and its machine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.results import KEPT, figures_of
from bench.table import markdown

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "performance-figures.md"


def figures(part: str, data: dict[str, Any] | None = None) -> str:
    """Return the table of a part of a run; empty if it wasn't measured. `data`: the run; None: the last one."""
    return markdown([figure for figure in figures_of(data or kept()) if figure.part == part])


def machine() -> str:
    """Describe the machine of the last run."""
    found = kept()["machine"]
    return (
        f"{found['processors']} processors ({found['processor']}), {found['memory_gb']} GB of memory, "
        f"Linux {found['kernel']}, Python {found['python']}, {found['server']}; {found['date']}, "
        f"commit {found['commit']}."
    )


def kept() -> dict[str, Any]:
    """Return the last run as JSON data."""
    data: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return data


def fill(*pages: Path) -> None:
    """Let cog fill its blocks on these pages again, as `make pages` does for all pages."""
    subprocess.run([sys.executable, "-m", "cogapp", "-r", *pages], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
