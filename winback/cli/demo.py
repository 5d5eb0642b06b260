"""`winback demo`: see the whole of it work in a minute, on this machine alone."""

from collections import deque
from datetime import timedelta
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from detectors.flow import STAGES
from detectors.lanes import LANES_BY_NAME
from state.overview import Overview
from winback.simulation.demo import SHRINK, Demo, Summary, running
from worker.supervision.supervisor import RoleFailedError

SHOPPING = timedelta(seconds=20)
AT_MOST = timedelta(seconds=58)
_INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended
_MEANING = {
    "bought": "paid by themselves",
    "bought.after_contact": "contacted once, then paid",
    "sent": "contacted once",
    "unreachable": "no name or phone",
    "waiting": "still waiting",
}


def demo(
    shoppers: Annotated[int, typer.Option(help="How many shoppers come.", min=1, max=20_000)] = 600,
    seed: Annotated[int, typer.Option(help="The same seed makes the same shoppers.")] = 1,
) -> None:
    """Run every real part on this machine for a minute: a shop full of made-up shoppers, and nobody is really called.

    Starts Valkey, ingest, two Celery workers, beat, Flower and a stand-in for Yuno's API; thresholds and the shoppers'
    pauses are shrunk by the same factor. Ends with a summary; the exit code is 0 only if it adds up.
    """
    try:
        _run(shoppers, seed)
    except KeyboardInterrupt:
        typer.echo("stopped before its end: nobody was called, nothing is left running")
        raise typer.Exit(_INTERRUPTED) from None
    except (RoleFailedError, TimeoutError) as problem:
        typer.echo(f"demo: {problem}", err=True)
        raise typer.Exit(1) from None


def _run(shoppers: int, seed: int) -> None:
    console = Console()
    lines: deque[tuple[str, str]] = deque(maxlen=200)
    console.print(
        f"Starting Valkey, ingest, Celery workers, beat, Flower and a stand-in API; time runs {SHRINK} x faster."
    )
    with running(shoppers, seed=seed, over=SHOPPING, output=lambda role, line: lines.append((role, line))) as run:
        console.print(
            f"Flower: http://127.0.0.1:{run.settings.flower.port} (user:password {run.login}), while this runs"
        )
        summary = _watch(console, run)
    _print_summary(console, summary)
    if not summary.adds_up:
        for role, line in lines:
            console.print(Text(f"{role} | {line}", style="dim"))
        raise typer.Exit(1)


def _watch(console: Console, run: Demo) -> Summary:
    began, total = monotonic(), sum(len(plan.events) for plan in run.plans)
    shown_at = [0.0]
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def show(seen: Overview, sent: int) -> None:
            elapsed = monotonic() - began
            view = _view(seen, sent, total, elapsed)
            if console.is_terminal:
                live.update(view, refresh=True)
            elif elapsed - shown_at[0] >= 5:  # noqa: PLR2004 - a log, not a screen
                shown_at[0] = elapsed
                console.print(_line(seen, sent, total, elapsed))

        return run.play(show, within=AT_MOST)


def _view(seen: Overview, sent: int, total: int, elapsed: float) -> Group:
    stages = Table("stage", "under way", "fell silent", title=_line(seen, sent, total, elapsed), title_justify="left")
    for stage in STAGES:
        waiting = sum(n for lane, n in seen.lanes.items() if LANES_BY_NAME[lane].stage == stage)
        silent = sum(n for lane, n in seen.counters.silent.items() if LANES_BY_NAME[lane].stage == stage)
        stages.add_row(stage, str(waiting), str(silent))
    outcomes = Table("outcome", "why", "sessions")
    for outcome, reasons in sorted(seen.counters.outcomes.items()):
        for reason, number in sorted(reasons.items()):
            outcomes.add_row(outcome, reason, str(number))
    return Group(stages, outcomes)


def _line(seen: Overview, sent: int, total: int, elapsed: float) -> str:
    names = ("sent", "cancelled", "suppressed", "unreachable", "expired", "dead", "unknown")
    counts = ", ".join(f"{seen.counters.total(name)} {name}" for name in names if seen.counters.total(name))
    box = f"{seen.outbox.due} due, {seen.outbox.leased} in flight"
    shop = f"{elapsed:4.0f} s  {sent}/{total} events, {sum(seen.lanes.values())} under way"
    return f"{shop}, {box}; {counts or 'nothing yet'}"


def _print_summary(console: Console, summary: Summary) -> None:
    sessions = Table("outcome", "sessions", title=f"After {summary.seconds:.0f} s", title_justify="left")
    for state, number in sorted(summary.sessions.items(), key=lambda item: -item[1]):
        sessions.add_row(_MEANING.get(state, state.replace(".", ": ")), str(number))
    sessions.add_row("together", str(sum(summary.sessions.values())), style="bold")
    console.print(sessions)
    for check in summary.checks:
        mark = "[green]✓[/green]" if check.holds else "[red]✗[/red]"
        console.print(f"{mark} {check.what} [dim]({check.detail})[/dim]")
    if summary.restarts:
        console.print(f"[yellow]{summary.restarts} restarts of parts on the way[/yellow]")
    console.print(
        "[bold green]It adds up.[/bold green]" if summary.adds_up else "[bold red]It does not add up.[/bold red]"
    )
