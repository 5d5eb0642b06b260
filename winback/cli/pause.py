"""`winback pause` and `winback resume`: stop and resume sending. Due outreaches stay due."""

from collections.abc import Callable
from typing import Annotated

import typer

from detectors.durations import parse_duration
from detectors.lanes import milliseconds
from state.calls.sending import SetPauseReply
from state.sending_control import Control
from worker import runtime
from worker.errors import StartError
from worker.logs.masking import one_line
from worker.monitoring.health import clock_time
from worker.server_errors import call_with_timeout
from worker.settings import load, require

LONGEST_REASON = 200  # characters


def pause(
    *,
    reason: Annotated[str, typer.Option(help="Shown by winback status; no personal data.")] = "",
    for_: Annotated[
        str, typer.Option("--for", help="Duration, like 90s, 15m, 2h; default: until winback resume.")
    ] = "",
) -> None:
    """Stop sending in all workers, within one dispatch interval. Due outreaches stay due.

    Requests in flight finish. Pausing again replaces the reason and the duration.
    """
    for_ms = 0
    if for_:
        try:
            for_ms = milliseconds(parse_duration(for_))
        except ValueError as problem:
            raise StartError(f"--for: {for_!r} {problem}") from None
    done = _print_result(lambda control: control.pause(one_line(reason)[:LONGEST_REASON], for_ms=for_ms))
    until = f"until {clock_time(done.until_ms)}" if done.until_ms else "until winback resume"
    typer.echo(f"sending is paused {until}; due outreaches stay due")


def resume() -> None:
    """Resume sending. If sending has stopped automatically (refused keys, failing requests), try again at once."""
    done = _print_result(Control.resume)
    was = "sending resumes" if done.was_paused else "sending was not paused"
    also = f"; it had stopped automatically ({done.why}): one outreach is tried now" if done.why else ""
    orders = "; no orders arrive: sending continues for an hour anyway" if done.orders_held else ""
    typer.echo(was + also + orders)


def _print_result(change_sending: Callable[[Control], SetPauseReply]) -> SetPauseReply:
    # Refuse invalid settings: if a part of the file were ignored, another namespace might be paused.
    settings = load()
    require(settings, "redis_url")
    return call_with_timeout(settings, lambda: change_sending(runtime.open_state(settings).control))
