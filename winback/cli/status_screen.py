"""The screen of `winback status`, with the worst problem first, for an operator who was just woken up."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from detectors.flow import STAGES
from detectors.lanes import LANES_BY_NAME
from detectors.registry import KINDS
from state.deferred import Deferred
from state.overview import Overview
from state.partition_totals import OUTCOMES
from state.stored_records import ROLES
from winback.cli.deferred_shown import deferred_shown
from winback.cli.delivery_lines import delivery_lines
from winback.cli.doctor import STYLES, table
from winback.cli.flow_lines import flow_lines
from winback.cli.layouts import Flowing, SideBySide
from winback.cli.outcome_lines import outcome_lines
from winback.cli.recording_lines import recording_lines
from winback.cli.thresholds_shown import thresholds_shown
from worker.monitoring import health
from worker.monitoring.health import MARKS, Finding
from worker.runtime import Destination
from worker.server_errors import address
from worker.settings import Settings
from worker.times import written_time

_LIVENESS = {"alive": "green", "late": "yellow", "silent": "bold red", "never": "bold red"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The data of one screen."""

    settings: Settings
    server: str
    """Name, version and address."""
    days: int
    overview: Overview
    findings: tuple[Finding, ...]
    deferred: Sequence[Deferred] = ()
    """The reasons why outreaches are due later."""

    @property
    def delivery(self) -> Destination:
        """Mode and endpoint of the workers that started last; before any has started, those of the settings."""
        known, here = self.overview.deployment, self.settings.delivery
        return Destination(known.get("mode", here.mode), known.get("endpoint", here.endpoint))

    @property
    def problems(self) -> list[Finding]:
        """The findings that aren't ok, the worst first."""
        return sorted((f for f in self.findings if f.mark != "ok"), key=lambda finding: MARKS.index(finding.mark))


def screen(snapshot: Snapshot) -> RenderableType:
    """Return the screen, at most 100 columns wide."""
    facts, time_zone = Table.grid(padding=(0, 2)), snapshot.settings.report.time_zone
    for name, text in (
        ("at", Text(written_time(snapshot.overview.now_ms, time_zone, seconds=True))),
        ("mode", _mode(snapshot)),
        ("server", Text(f"{snapshot.server}, {_memory(snapshot)}")),
        ("roles", _roles(snapshot)),
        ("thresholds", Text(thresholds_shown(snapshot.overview, time_zone))),
        ("events", _events(snapshot)),
        *((name, Text(text)) for name, text in flow_lines(snapshot.overview)),
        *((name, Text(text)) for name, text in delivery_lines(snapshot.overview)),
        ("outbox", _outbox(snapshot)),
        *(("", Text(line)) for line in deferred_shown(snapshot.deferred, snapshot.overview, time_zone)),
        *((name, Text(text)) for name, text in outcome_lines(snapshot.overview)),
        *((name, Text(text)) for name, text in recording_lines(snapshot.overview)),
    ):
        facts.add_row(Text(name, "bold"), text)
    return Group(facts, Text(), _problems(snapshot), Text(), SideBySide(_waiting(snapshot), _outcomes(snapshot)))


def waiting(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """Return the number of waiting sessions by stage and kind, without zeros."""
    found: dict[str, dict[str, int]] = {}
    for name, count in snapshot.overview.lanes.items():
        lane = LANES_BY_NAME[name]
        kinds = found.setdefault(lane.stage, {})
        kinds[lane.kind.name] = kinds.get(lane.kind.name, 0) + count
    return found


def _mode(snapshot: Snapshot) -> Text:
    mode, endpoint = snapshot.delivery
    if snapshot.overview.sending.sending_state in {"paused", "mixed", "orders_stopped", "refused", "failing"}:
        word = "PAUSED" if snapshot.overview.sending.sending_state == "paused" else "STOPPED"
        return Text(f"{mode}, {word}: nothing is sent ({address(endpoint)})", STYLES["fail"])
    if mode == "live":
        return Text(f"live: requests go to {address(endpoint)}", "bold")
    return Text(f"shadow: no request is sent and no person is contacted ({address(endpoint)})")


def _memory(snapshot: Snapshot) -> str:
    server = snapshot.overview.server
    if not server.max_bytes:
        return f"{health.megabytes(server.used_bytes)} in use"
    return f"{health.megabytes(server.used_bytes)} of {health.megabytes(server.max_bytes)} in use"


def _roles(snapshot: Snapshot) -> RenderableType:
    parts = []
    for role in ROLES:
        liveness = health.liveness(role, snapshot.overview, snapshot.settings)
        if liveness.ago_ms is None:
            words = "never seen"
        elif liveness.state == "silent":
            words = f"SILENT for {health.span(liveness.ago_ms)}"
        else:
            several = f", {liveness.processes} of them" if liveness.processes > 1 else ""
            words = f"{health.span(liveness.ago_ms)} ago{several}"
        parts.append(Text.assemble(f"{role} ", (words, _LIVENESS[liveness.state])))
    return Flowing(parts)


def _events(snapshot: Snapshot) -> Text:
    events, lag = snapshot.overview.events, snapshot.overview.lag_ms
    streams = f" in {events.streams} streams" if events.streams > 1 else ""
    text = f"{events.waiting:,} waiting{streams} ({events.pending:,} in flight), {health.span(lag)} behind"
    return Text(text + (f"; {events.rejected:,} in the rejected list" if events.rejected else ""))


def _outbox(snapshot: Snapshot) -> Text:
    outbox, now = snapshot.overview.outbox, snapshot.overview.now_ms
    first = "" if outbox.first_due_ms is None else f", the first for {health.span(now - outbox.first_due_ms)}"
    when = f" ({outbox.due_now:,} now{first})" if outbox.due_now else " (none now)" if outbox.due else ""
    return Text.assemble(
        f"{outbox.due:,} due{when}, {outbox.leased:,} leased, ",
        (f"{outbox.dead:,} dead", "yellow" if outbox.dead else ""),
        ", ",
        (f"{outbox.unknown:,} unknown", "yellow" if outbox.unknown else ""),
    )


def _problems(snapshot: Snapshot) -> RenderableType:
    return table(snapshot.problems) if snapshot.problems else Text("All is well.", STYLES["ok"])


def _waiting(snapshot: Snapshot) -> RenderableType:
    found = waiting(snapshot)
    if not found:
        return Text.assemble(("sessions waiting", "bold"), "\nnone")
    kinds = [kind.name for kind in KINDS if any(kind.name in counts for counts in found.values())]
    rows = Table("sessions waiting", box=None, pad_edge=False, header_style="bold")
    for kind in kinds:
        rows.add_column(kind, justify="right", no_wrap=True)
    for stage in STAGES:
        if stage in found:
            counts = (found[stage].get(kind) for kind in kinds)
            rows.add_row(stage, *(Text("-", "dim") if count is None else Text(f"{count:,}") for count in counts))
    return rows


def _outcomes(snapshot: Snapshot) -> RenderableType:
    counters = snapshot.overview.counters
    rows = Table(box=None, pad_edge=False, header_style="bold")
    days = "today" if snapshot.days == 1 else f"last {snapshot.days} days"
    rows.add_column(f"{days} ({snapshot.overview.day_zone.name.rpartition('/')[2].replace('_', ' ')})", no_wrap=True)
    rows.add_column("", justify="right", no_wrap=True)
    rows.add_column("", overflow="fold")
    found = {"silent": sum(counters.silent.values())} | {outcome: counters.total(outcome) for outcome in OUTCOMES}
    for outcome, count in found.items():
        reasons = sorted(counters.outcomes.get(outcome, {}).items(), key=lambda item: -item[1])
        words = ", ".join(f"{reason} {times:,}" for reason, times in reasons if reason)
        rows.add_row(outcome, f"{count:,}", Text(words, "dim"), style="" if count else "dim")
    return rows
