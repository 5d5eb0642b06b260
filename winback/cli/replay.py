"""`winback replay`: send recorded events again, at their own pace or faster."""

import json as jsonlib
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from state import deployment
from winback.cli.interrupt import CtrlC
from winback.operations import json_lines
from winback.operations.producer import Producer
from winback.operations.recorded_events import last_moment
from winback.operations.replay import Replay, ReplayTotals, require_harmless
from worker import runtime
from worker.server_errors import naming_server
from worker.settings import Settings, load, require

_INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended
_LAGGING_S = 1.0
_MOST_PRINTED = 10  # lines that can't be replayed; the rest are only counted


def replay(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="JSON lines; - for stdin.")],
    *,
    speed: Annotated[float, typer.Option(help="Divide every gap by this.", min=0.001)] = 1.0,
    limit: Annotated[int | None, typer.Option(help="Stop after this number of events.", min=1)] = None,
    max_rate: Annotated[float | None, typer.Option(help="At most this number of events a second.", min=0.001)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Send recorded events again as if they happened now, with their original gaps divided by --speed.

    Every event needs `occurred_at`, and the file must be sorted by it. An event is sent at start + (its `occurred_at` -
    the first one's) / speed. Its `occurred_at` becomes that time, and `expires_at` moves by the same rule. Divide
    `detection.idle` by the speed too: at --speed 60 a threshold of 15 minutes becomes 15 seconds.

    Refused in live mode unless the endpoint is on this machine. Exit code 1 if a line couldn't be replayed.
    """
    settings = load()
    producer = _harmless_producer(settings)
    last_ms = last_moment(file)
    with naming_server(settings), CtrlC() as ctrl_c, _View(last_ms, speed=speed, limit=limit) as view:
        run = Replay(
            producer.send,
            speed=speed,
            now=_steady_clock(),
            pause=ctrl_c.pressed.wait,
            stopped=ctrl_c.pressed.is_set,
            limit=limit,
            max_rate=max_rate,
            skipped=view.skipped,
            progress=view.update,
        )
        try:
            run.run(ctrl_c.stoppable(json_lines.batches(file)))
        finally:
            view.close()
            _print_summary(run.totals, interrupted=ctrl_c.pressed.is_set(), json=json)
    if ctrl_c.pressed.is_set() or run.totals.skipped:
        raise typer.Exit(_INTERRUPTED if ctrl_c.pressed.is_set() else 1)


def _harmless_producer(settings: Settings) -> Producer:
    """Return a producer for the events.

    Raises:
        StartError: shoppers in the recording could be contacted, or the server can't be reached.
    """
    require_harmless(settings.delivery.mode, settings.delivery.endpoint)
    require(settings, "redis_url")
    with naming_server(settings):
        state = runtime.open_state(settings)
        announced = deployment.announced(state.scripts, state.keys)
    # The workers might run with other settings than this command.
    require_harmless(*announced, whose="the workers' delivery")
    return Producer(state.client, state.keys.events)


def _steady_clock() -> Callable[[], float]:
    """Return a clock (Unix s) that setting the system clock doesn't change."""
    started_s, started = time.time(), time.monotonic()
    return lambda: started_s + time.monotonic() - started


class _View:
    """Skipped lines and a progress bar, on stderr. The bar is shown only on a terminal."""

    def __init__(self, last_ms: int | None, *, speed: float, limit: int | None) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._last_ms = last_ms
        self._speed = speed
        self._limit = limit
        self._left_out = 0
        self._progress = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.fields[sent]:,} events  {task.fields[rate]:,.0f}/s  lag {task.fields[lag]:.1f} s"),
            TextColumn("ETA {task.fields[eta]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None, sent=0, rate=0.0, lag=0.0, eta="-")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def update(self, totals: ReplayTotals) -> None:
        done = fraction_done(totals, last_ms=self._last_ms, limit=self._limit)
        left_s = seconds_left(totals, done, last_ms=None if self._limit else self._last_ms, speed=self._speed)
        self._progress.update(
            self._task,
            total=None if done is None else 1.0,
            completed=done or 0.0,
            sent=totals.sent,
            rate=totals.per_second,
            lag=totals.lag_s,
            eta="-" if left_s is None else timedelta(seconds=round(left_s)),
        )

    def skipped(self, why: str) -> None:
        """Print the reason why a line was skipped, for the first few."""
        self._left_out += 1
        if self._left_out <= _MOST_PRINTED:
            self._console.print(why, markup=False, soft_wrap=True)

    def close(self) -> None:
        self._progress.stop()


def fraction_done(totals: ReplayTotals, *, last_ms: int | None, limit: int | None) -> float | None:
    """Return the fraction of a replay that is done, 0 to 1; None if unknown, because a pipe's end isn't known."""
    if limit is not None:
        return min(1.0, totals.sent / limit)
    if last_ms is None or not totals.first_ms:
        return None
    span_ms = last_ms - totals.first_ms
    return min(1.0, (totals.latest_ms - totals.first_ms) / span_ms) if span_ms > 0 else 1.0


def seconds_left(totals: ReplayTotals, done: float | None, *, last_ms: int | None, speed: float) -> float | None:
    """Return the seconds that a replay will still take; None if unknown.

    While the replay keeps up, the schedule gives the time. Once it lags, the average speed so far is the better guess.
    """
    if last_ms is not None and totals.first_ms and totals.lag_s < _LAGGING_S:
        return max(0.0, (last_ms - totals.first_ms) / 1000 / speed - totals.seconds)
    return totals.seconds * (1 - done) / done if done else None


def _print_summary(totals: ReplayTotals, *, interrupted: bool, json: bool) -> None:
    if json:
        document = {
            "sent": totals.sent,
            "seconds": round(totals.seconds, 3),
            "events_per_second": round(totals.per_second, 1),
            "worst_lag_seconds": round(totals.worst_lag_s, 3),
            "out_of_order": totals.out_of_order,
            "skipped": totals.skipped,
            "interrupted": interrupted,
        }
        typer.echo(jsonlib.dumps(document))
        return
    stopped = "stopped: " if interrupted else ""
    policy = f"{totals.per_second:,.0f} a second, at most {totals.worst_lag_s:.1f} s late"
    typer.echo(f"{stopped}sent {totals.sent:,} events in {totals.seconds:,.1f} s: {policy}")
    if totals.out_of_order:
        typer.echo(f"{totals.out_of_order:,} were out of order and sent at once: sort the file by occurred_at")
    if totals.skipped:
        typer.echo(f"{totals.skipped:,} lines were skipped, see above")
