"""The figures of the last run on `docs/performance.md`.

Wherever the page has the marks of a part (`<!-- figures of PART: begin -->`), its table stands between them.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.results import KEPT, figures_of
from bench.table import markdown

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_SECTION = re.compile(r"<!-- figures of (?P<part>.+?): begin -->\n.*?<!-- figures of (?P=part): end -->", re.DOTALL)
_MACHINE = re.compile(r"<!-- machine: begin -->\n.*?<!-- machine: end -->", re.DOTALL)


def with_figures(page: str, data: dict[str, Any]) -> str:
    """Return a page with the figures and the machine of a run; a part that was not measured keeps an empty table."""
    figures = figures_of(data)

    def section(found: re.Match[str]) -> str:
        part = found["part"]
        of_part: Sequence[Figure] = [figure for figure in figures if figure.part == part]
        return f"<!-- figures of {part}: begin -->\n{markdown(of_part)}\n<!-- figures of {part}: end -->"

    told = described(data["machine"])
    page = _MACHINE.sub(lambda _: f"<!-- machine: begin -->\n{told}\n<!-- machine: end -->", page)
    return _SECTION.sub(section, page)


def described(machine: dict[str, Any]) -> str:
    return (
        f"{machine['processors']} processors ({machine['processor']}), {machine['memory_gb']} GB of memory, "
        f"Linux {machine['kernel']}, Python {machine['python']}, {machine['server']}; {machine['date']}, "
        f"commit {machine['commit']}."
    )


def write() -> None:
    """Bring the page to what was kept last."""
    page, data = PAGE.read_text(encoding="utf-8"), json.loads(KEPT.read_text(encoding="utf-8"))
    PAGE.write_text(with_figures(page, data), encoding="utf-8")


if __name__ == "__main__":
    write()
