"""`winback report --html`: the report as one offline page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import typer

from detectors.json_values import JsonObject
from state.daily_counters import DailyCount
from winback.operations.contact_windows import Closed
from winback.operations.report import By, Report, Row, document, make
from winback.operations.report_summary import summary
from winback.operations.tune_file import read_tuned
from winback.operations.whole_file import write_whole
from winback.report_page.page import page
from worker.errors import StartError

STDOUT = "-"
_GROUPS: tuple[tuple[By, ...], ...] = (("day",), ("stage",))


@dataclass(frozen=True)
class Wanted:
    """Where the page goes, and the results of `winback tune` that it shows."""

    file: str
    tuned: JsonObject | None


def wanted(file: str, tune: str) -> Wanted:
    """Return what is asked for.

    Raises:
        StartError: A file doesn't fit.
    """
    if tune and not file:
        raise StartError("--tune: needs --html FILE, because only that page shows the curves")
    if file != STDOUT and file and not Path(file).parent.is_dir():
        raise StartError(f"--html {file}: there is no directory {Path(file).parent}")
    return Wanted(file, read_tuned(tune) if tune else None)


def write_page(
    asked: Wanted,
    counted: Sequence[DailyCount],
    report: Report,
    *,
    now: datetime,
    experiment: JsonObject | None,
    closed: Closed,
) -> None:
    """Write the page.

    Raises:
        StartError: The file can't be written.
    """
    by_day, by_stage = (
        document(replace(report, by=by, rows=_rows(counted, report, by)), now, experiment) for by in _GROUPS
    )
    text = page(by_day, by_stage, list(summary(report)), closed, asked.tuned)
    if asked.file == STDOUT:
        typer.echo(text, nl=False)
    else:
        write_whole("--html", Path(asked.file), text.encode())


def _rows(counted: Sequence[DailyCount], report: Report, by: Sequence[By]) -> Sequence[Row]:
    return make(counted, report.since, report.until, by, report.window).rows
