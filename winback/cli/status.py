"""`winback status`: the state of all parts on one screen."""

import json as jsonlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from detectors.lanes import LANES
from state import overview
from state.connection import require_suitable
from state.deferred import read_deferred
from state.overview import Overview
from state.partition_totals import OUTCOMES
from state.stored_records import ROLES
from winback.cli.doctor import PIPED_WIDTH, STYLES
from winback.cli.flow_lines import flow_data
from winback.cli.status_screen import Snapshot, screen, waiting
from worker import runtime
from worker.errors import MISTAKE, StartError
from worker.monitoring import health
from worker.monitoring.health import Finding
from worker.server_errors import address, call_with_timeout
from worker.settings import Settings, require
from worker.settings.partial import load_lenient

EVERY_S = 1.0
_SETTINGS = "settings"
_LANES = [lane.name for lane in LANES]


def status(
    *,
    days: Annotated[
        int, typer.Option(min=1, max=400, help="Number of days that the outcomes cover, including today.")
    ] = 1,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every second, until Ctrl-C.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; with --watch, one line every second.")
    ] = False,
) -> None:
    """Show the state of all parts on one screen: problems, roles, thresholds, events, outbox, sessions and outcomes.

    Times are in UTC, followed by those of `report.time_zone`. If the server doesn't answer, the command prints one line
    and exits with code 2. If settings are invalid, it names them, shows the rest, and exits with code 2.
    """
    snapshot = _snapshot_reader(days)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    if watch:
        with suppress(KeyboardInterrupt):
            (_watch_json if json else _watch)(_poll(snapshot), console)
        return
    shown = snapshot()
    if json:
        typer.echo(jsonlib.dumps(document(shown), indent=2))
    else:
        console.print(screen(shown))
    if any(problem.name == _SETTINGS and problem.mark == "fail" for problem in shown.problems):
        raise typer.Exit(MISTAKE)


def document(snapshot: Snapshot) -> dict[str, object]:
    """Return the screen's content as JSON data. Times are in ms. Null means unknown or never."""
    found, settings = snapshot.overview, snapshot.settings
    counters = found.counters
    return {
        "at": datetime.fromtimestamp(found.now_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "namespace": settings.namespace,
        "mode": snapshot.delivery.mode,
        "endpoint": address(snapshot.delivery.endpoint),
        "server": {"name": snapshot.server, **asdict(found.server)},
        "roles": {role: asdict(health.liveness(role, found, settings)) for role in ROLES},
        "events": {**asdict(found.events), "lag_ms": found.lag_ms},
        "flow": flow_data(found),
        "deliveries": [asdict(delivery) for delivery in found.deliveries],
        "sweep": {
            "last_ms": found.swept_ms,
            "reopened_ms": found.reopened_ms,
            "shop_silent_since_ms": found.silent_since_ms,
        },
        "thresholds": asdict(found.thresholds) if found.thresholds else None,
        "time_zone": settings.report.time_zone,
        "sending": {**asdict(found.sending), **_daily_limit(snapshot)},
        "orders": asdict(found.orders),
        "waiting": waiting(snapshot),
        "outbox": {**asdict(found.outbox), "deferred": [each._asdict() for each in snapshot.deferred]},
        "privacy_requests": asdict(found.requests),
        "outcome_feed": _feed(found),
        "webhooks": asdict(found.webhooks) if found.webhooks else None,
        "days": snapshot.days,
        "days_in": found.day_zone.name,
        "silent": counters.silent,
        "outcomes": {
            outcome: {"total": counters.total(outcome), "reasons": _reasons(snapshot, outcome)} for outcome in OUTCOMES
        },
        "problems": [asdict(finding) for finding in snapshot.problems],
    }


def _feed(found: Overview) -> dict[str, object] | None:
    feed = found.outcome_feed
    return None if feed is None else asdict(feed) | {"readers": [reader._asdict() for reader in feed.readers]}


def _daily_limit(snapshot: Snapshot) -> dict[str, object]:
    """Return the daily limit and today's contacts, which are counted only if there is a limit."""
    most = snapshot.settings.delivery.max_per_day
    return {"max_per_day": most, "contacts_today": snapshot.overview.sending.contacts_today if most else None}


def _reasons(snapshot: Snapshot, outcome: str) -> dict[str, int]:
    return {reason: count for reason, count in snapshot.overview.counters.outcomes.get(outcome, {}).items() if reason}


def _snapshot_reader(days: int) -> Callable[[], Snapshot]:
    """Return a function that reads a new snapshot at each call, over one connection."""
    settings, broken = load_lenient(drop_variables=True)
    require(settings, "redis_url")
    state, name = call_with_timeout(settings, lambda: _open(settings))
    ours = [
        Finding(_SETTINGS, "fail", line, "fix the settings; winback config check lists the problems")
        for line in (broken or "").splitlines()
    ]

    def snapshot() -> Snapshot:
        found = call_with_timeout(settings, lambda: overview.read(state.scripts, state.keys, _LANES, days=days))
        # The reasons are needed only if outreaches are due later.
        is_later = found.outbox.due > found.outbox.due_now
        later = call_with_timeout(settings, lambda: read_deferred(state.scripts, state.keys)) if is_later else []
        return Snapshot(settings, name, days, found, (*ours, *health.findings(found, settings)), later)

    return snapshot


def _open(settings: Settings) -> tuple[runtime.State, str]:
    state = runtime.open_state(settings)
    return state, f"{require_suitable(state.client)} at {address(settings.redis_url or '')}"


def _poll(snapshot: Callable[[], Snapshot]) -> Iterator[Snapshot | StartError]:
    """Yield a snapshot every second. After the first one, a server that is down yields its error."""
    yield snapshot()
    while True:
        time.sleep(EVERY_S)
        try:
            yield snapshot()
        except StartError as problem:
            yield problem


def _watch(snapshots: Iterator[Snapshot | StartError], console: Console) -> None:
    last: RenderableType = ""
    # Cropped at the bottom, because the problems are at the top.
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for snapshot in snapshots:
            if isinstance(snapshot, Snapshot):
                last = screen(snapshot)
                live.update(last, refresh=True)
            else:
                live.update(Group(Text(str(snapshot), STYLES["fail"]), Text("As it was before:\n"), last), refresh=True)


def _watch_json(snapshots: Iterator[Snapshot | StartError], _console: Console) -> None:
    for snapshot in snapshots:
        typer.echo(jsonlib.dumps(document(snapshot) if isinstance(snapshot, Snapshot) else {"error": str(snapshot)}))
