"""`winback demo`: run every part on this machine for a minute."""

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
from winback.cli.terminal import out
from winback.simulation.demo import SHRINK, Demo, Summary, running
from worker.supervision.supervisor import RoleFailedError

SHOPPING = timedelta(seconds=20)
AT_MOST = timedelta(seconds=58)
_INTERRUPTED = 130  # the exit code that shells report after Ctrl-C
_MEANING = {
    "bought": "paid by themselves",
    "bought.after_contact": "contacted once, then paid",
    "sent": "contacted once",
    "unreachable": "no name or phone",
    "waiting": "still waiting",
}
_NEXT = (
    ("Send your own event", "README.md, section 'Send your first event'"),
    ("Run all roles here", "make up (or winback up): shadow mode, sends no request"),
    ("Connect your shop", "docs/guides/connect-shop.md"),
    ("Read the docs", "docs/index.md, or make docs for a site with search"),
)


def demo(
    shoppers: Annotated[int, typer.Option(help="Number of simulated shoppers.", min=1, max=20_000)] = 600,
    seed: Annotated[int, typer.Option(help="The same seed gives the same shoppers.")] = 1,
) -> None:
    """Run every part on this machine for a minute, with simulated shoppers. No person is contacted.

    Starts Valkey, ingest, two Celery workers, beat, Flower and a mock of Yuno's API. Thresholds and the shoppers'
    pauses are divided by the same factor. Ends with a summary. The exit code is 0 only if it adds up.
    """
    try:
        _run(shoppers, seed)
    except KeyboardInterrupt:
        typer.echo("Stopped early. No person was contacted, and no process is left running.")
        raise typer.Exit(_INTERRUPTED) from None
    except (RoleFailedError, TimeoutError) as problem:
        typer.echo(f"demo: {problem}", err=True)
        raise typer.Exit(1) from None


def _run(shoppers: int, seed: int) -> None:
    console = out()
    console.print("Starting Valkey, ingest, Celery workers, beat, Flower and a mock of Yuno's API.")
    console.print(f"Time runs {SHRINK} times faster. The demo takes about a minute.")
    lines: deque[tuple[str, str]] = deque(maxlen=200)
    with running(shoppers, seed=seed, over=SHOPPING, output=lambda role, line: lines.append((role, line))) as run:
        console.print(f"Flower, until the demo ends: http://127.0.0.1:{run.settings.flower.port}")
        console.print(f"  user:password: {run.login}")
        summary = _watch(console, run)
    print_summary(console, summary)
    if not summary.adds_up:
        for role, line in lines:
            console.print(Text(f"{role} | {line}", style="dim"))
        raise typer.Exit(1)
    print_next_steps(console)


def _watch(console: Console, run: Demo) -> Summary:
    began, total = monotonic(), sum(len(plan.events) for plan in run.plans)
    shown_at = [0.0]
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def show(seen: Overview, sent: int) -> None:
            elapsed = monotonic() - began
            view = progress_view(seen, sent, total, elapsed)
            if console.is_terminal:
                live.update(view, refresh=True)
            elif elapsed - shown_at[0] >= 5:  # noqa: PLR2004 - a log, not a screen
                shown_at[0] = elapsed
                console.print(f"{_shop(seen, sent, total, elapsed)}; {_outcomes(seen)}")

        return run.play(show, within=AT_MOST)


def progress_view(seen: Overview, sent: int, total: int, elapsed: float) -> Group:
    """Return the screen of a running demo: two lines and two tables."""
    stages = Table("stage", "under way", "fell silent")
    for stage in STAGES:
        waiting = sum(n for lane, n in seen.lanes.items() if LANES_BY_NAME[lane].stage == stage)
        silent = sum(n for lane, n in seen.counters.silent.items() if LANES_BY_NAME[lane].stage == stage)
        stages.add_row(stage, str(waiting), str(silent))
    outcomes = Table("outcome", "why", "sessions")
    for outcome, reasons in sorted(seen.counters.outcomes.items()):
        for reason, number in sorted(reasons.items()):
            outcomes.add_row(outcome, reason, str(number))
    # The lines aren't a table's title, because a title wraps at the width of its table.
    return Group(_shop(seen, sent, total, elapsed), f"  {_outcomes(seen)}", stages, outcomes)


def _shop(seen: Overview, sent: int, total: int, elapsed: float) -> str:
    shop = f"{elapsed:4.0f} s  {sent}/{total} events, {sum(seen.lanes.values())} sessions under way"
    return f"{shop}, {seen.outbox.due} due, {seen.outbox.leased} in flight"


def _outcomes(seen: Overview) -> str:
    names = ("sent", "cancelled", "suppressed", "unreachable", "expired", "dead", "unknown")
    counts = (f"{seen.counters.total(name)} {name}" for name in names if seen.counters.total(name))
    return ", ".join(counts) or "no outcome yet"


def print_summary(console: Console, summary: Summary) -> None:
    """Print the sessions by outcome, the checks, and whether all of them hold."""
    sessions = Table("outcome", "sessions", title=f"After {summary.seconds:.0f} s", title_justify="left")
    for state, number in sorted(summary.sessions.items(), key=lambda item: -item[1]):
        sessions.add_row(_MEANING.get(state, state.replace(".", ": ")), str(number))
    sessions.add_row("total", str(sum(summary.sessions.values())), style="bold")
    console.print(sessions)
    for check in summary.checks:
        mark = "[green]✓[/green]" if check.holds else "[red]✗[/red]"
        console.print(f"{mark} {check.what} [dim]({check.detail})[/dim]")
    if summary.restarts:
        console.print(f"[yellow]{summary.restarts} restarts of roles during the demo[/yellow]")
    console.print(
        "[bold green]It adds up.[/bold green]" if summary.adds_up else "[bold red]It does not add up.[/bold red]"
    )


def print_next_steps(console: Console) -> None:
    """Print what to do after the demo, within 80 columns."""
    console.print("\nNext:")
    steps = Table.grid(padding=(0, 2))
    steps.add_column(no_wrap=True)
    for step, how in _NEXT:
        steps.add_row(f"  {step}", how)
    console.print(steps)
