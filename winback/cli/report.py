"""`winback report`: outcomes, recovered orders and the comparison with the holdout."""

import json as jsonlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from detectors.durations import parse_duration
from state import daily_counters
from state.keys import STATS_TTL_MS
from winback.cli.doctor import PIPED_WIDTH
from winback.cli.report_tables import tables
from winback.operations.report import EVERY, By, Report, day_of, document, make, number_of
from winback.operations.report_csv import report_csv
from worker import runtime
from worker.errors import StartError
from worker.server_errors import call_with_timeout
from worker.settings import require
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


def report(
    *,
    since: Annotated[
        str, typer.Option(help="The first day, like 2026-11-01; or a duration including today, like 7d.")
    ] = "7d",
    until: Annotated[str, typer.Option(help="The last day; default: today.")] = "",
    by: Annotated[str, typer.Option(help="Group by day, stage, platform, or several; `total`: no groups.")] = (
        "day,stage,platform"
    ),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV: a line for each group and measure.")] = False,
) -> None:
    """Show sessions, contacts and recovered orders, and compare the contacted people with the holdout.

    Orders count on the day of the contact that they followed within `contact.attribution_window`. Days are
    those of `report.time_zone`.
    """
    if json and csv:
        raise StartError("--csv: can't be used with --json: name one of them")
    first, last, parts = _read_since(since), _read_until(until) if until else None, _read_by(by)
    settings = load_lenient()[0]
    require(settings, "redis_url")
    state = runtime.open_state(settings)
    number, zone = call_with_timeout(settings, lambda: daily_counters.today(state.scripts, state.keys))
    today = day_of(number)
    # 7d covers seven days; 36h covers two.
    start = today - _DAY * (-(-first // _DAY) - 1) if isinstance(first, timedelta) else first
    end = last or today
    if start > end:
        raise StartError(f"--since {start} is after --until {end}")
    if end - start > MOST_DAYS:
        raise StartError(f"--since {start}: counters are kept for {MOST_DAYS.days} days; begin later")
    counted = call_with_timeout(
        settings, lambda: daily_counters.read(state.scripts, state.keys, number_of(start), number_of(end))
    )
    found = replace(make(counted, start, end, parts, settings.contact.attribution_window), zone=zone)
    _print(found, settings.report.time_zone, as_json=json, as_csv=csv)


def _print(found: Report, time_zone: str, *, as_json: bool, as_csv: bool) -> None:
    now = datetime.now(UTC)
    if as_json:
        typer.echo(jsonlib.dumps(document(found, now), indent=2))
    elif as_csv:
        typer.echo(report_csv(document(found, now)), nl=False)
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = PIPED_WIDTH
        console.print(tables(found, now, time_zone))
