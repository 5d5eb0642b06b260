"""`winback report`: outcomes, recovered orders and the comparison with the holdout."""

import json as jsonlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from detectors.durations import parse_duration
from state import daily_counters
from state.day_zone import DayZone
from state.keys import STATS_TTL_MS
from winback.cli import report_html
from winback.cli.doctor import PIPED_WIDTH
from winback.cli.experiment_tables import experiment_tables
from winback.cli.grouped_options import grouped_options
from winback.cli.report_tables import tables
from winback.operations import experiment as experiments
from winback.operations.contact_windows import closed_hours
from winback.operations.report import EVERY, By, Report, day_of, document, make, number_of
from winback.operations.report_csv import report_csv
from worker import runtime
from worker.errors import StartError
from worker.runtime import State
from worker.server_errors import call_with_timeout
from worker.settings import Settings, require
from worker.settings.partial import load_lenient

_DAY = timedelta(days=1)
MOST_DAYS = timedelta(milliseconds=STATS_TTL_MS)


def _read_since(text: str) -> date | timedelta:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        pass
    try:
        return parse_duration(text)
    except ValueError:
        raise StartError(f"--since {text}: write a day, like 2026-11-01, or a duration, like 7d") from None


def _read_until(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise StartError(f"--until {text}: write a day, like 2026-11-30") from None


def _read_by(text: str) -> tuple[By, ...]:
    if text.strip() == "total":
        return ()
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if part not in EVERY:
            raise StartError(f"--by {part}: write one or more of day,stage,platform, or total for no groups")
    return tuple(part for part in EVERY if part in parts)


@dataclass(frozen=True)
class Days:
    """The days and groups of a report."""

    since: Annotated[
        str, typer.Option(help="The first day, like 2026-11-01; or a duration including today, like 7d.")
    ] = "7d"
    until: Annotated[str, typer.Option(help="The last day; default: today.")] = ""
    by: Annotated[str, typer.Option(help="Group by day, stage, platform, or several; `total`: no groups.")] = (
        "day,stage,platform"
    )


@dataclass(frozen=True)
class Form:
    """The form of a report."""

    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV: a line for each group and measure.")] = False
    html: Annotated[
        str, typer.Option(metavar="FILE", help="Write one offline page, by day and by stage; - for stdout.")
    ] = ""
    tune: Annotated[
        str, typer.Option(metavar="FILE", help="Show the threshold curves of `winback tune --json` on that page.")
    ] = ""


@grouped_options
def report(*, days: Days, form: Form) -> None:
    """Show sessions, contacts and recovered orders, and compare the contacted people with the holdout.

    Orders count on the day of the contact that they followed within `contact.attribution_window`. Days are
    those of `report.time_zone`.
    """
    named = [name for name in ("json", "csv", "html") if getattr(form, name)]
    if len(named) > 1:
        raise StartError(f"--{named[1]}: can't be used with --{named[0]}: name one of them")
    page = report_html.wanted(form.html, form.tune)
    first, last, parts = _read_since(days.since), _read_until(days.until) if days.until else None, _read_by(days.by)
    settings = load_lenient()[0]
    require(settings, "redis_url")
    state = runtime.open_state(settings)
    number, zone = call_with_timeout(settings, lambda: daily_counters.today(state.scripts, state.keys))
    start, end = _period(first, last, day_of(number))
    counted = call_with_timeout(
        settings, lambda: daily_counters.read(state.scripts, state.keys, number_of(start), number_of(end))
    )
    found = replace(make(counted, start, end, parts, settings.contact.attribution_window), zone=zone)
    now = datetime.now(UTC)
    if form.csv:
        typer.echo(report_csv(document(found, now)), nl=False)
        return
    experiment = _experiment(settings, state, number, zone, now)
    as_data = None if experiment is None else experiments.document(experiment)
    if form.json:
        typer.echo(jsonlib.dumps(document(found, now, as_data), indent=2))
    elif form.html:
        closed = closed_hours(settings.contact, zone.name)
        report_html.write_page(page, counted, found, now=now, experiment=as_data, closed=closed)
    else:
        _print(found, experiment, settings, now)


def _period(since: date | timedelta, until: date | None, today: date) -> tuple[date, date]:
    """Return the first and the last day."""
    # 7d covers seven days; 36h covers two.
    start = today - _DAY * (-(-since // _DAY) - 1) if isinstance(since, timedelta) else since
    end = until or today
    if start > end:
        raise StartError(f"--since {start} is after --until {end}")
    if end - start > MOST_DAYS:
        raise StartError(f"--since {start}: counters are kept for {MOST_DAYS.days} days; begin later")
    return start, end


def _experiment(
    settings: Settings, state: State, today: int, zone: DayZone, now: datetime
) -> experiments.Findings | None:
    """Return what the experiment in the settings shows since its start, whatever days the report is about."""
    start = settings.experiment.start
    if not settings.experiment.name or start is None:
        return None
    # The day before: the start is a day in UTC.
    first = max(number_of(start) - 1, today - MOST_DAYS.days)
    counted = call_with_timeout(settings, lambda: daily_counters.read(state.scripts, state.keys, first, today))
    return experiments.findings(counted, settings.experiment, now, zone)


def _print(found: Report, experiment: experiments.Findings | None, settings: Settings, now: datetime) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(tables(found, now, settings.report.time_zone))
    if experiment is not None:
        for line in experiment_tables(experiment, settings.experiment.difference):
            console.print(line)
