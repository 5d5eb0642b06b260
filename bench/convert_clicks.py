"""The command line that the converters of published clickstreams share."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from bench.made_up_shop import Click, events, is_anonymous, one_order_each, overlaid, to_line, with_gaps_capped
from detectors.durations import parse_duration

DEFAULT_WINDOW = timedelta(hours=6)
_MS = timedelta(milliseconds=1)

Reader = Callable[[TextIO], Iterable[Click]]
"""Reads a dataset; raises ValueError (one line, without the file's name) if the file has another format."""


def main(read: Reader, description: str) -> None:
    """Convert the file named on the command line; events go to stdout, a summary to stderr."""
    options = _options(description)
    try:
        with Path(options.input).open(encoding="utf-8", newline="") as file:
            clicks = one_order_each(read(file))
    except OSError as exc:
        raise SystemExit(f"{options.input}: {exc.strerror}") from None
    except ValueError as exc:
        raise SystemExit(f"{options.input}: {exc}") from None
    if options.overlay:
        clicks = overlaid(clicks, (options.window or DEFAULT_WINDOW) // _MS)
    if options.gap_cap is not None:
        clicks = with_gaps_capped(clicks, options.gap_cap // _MS)
    try:
        for event in events(clicks, anonymous=options.anonymous):
            print(to_line(event))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has closed the pipe (head, for example). Nothing must be flushed into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    print(_summary(clicks, options.anonymous), file=sys.stderr)


def _options(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", metavar="INPUT", help="the dataset's file")
    parser.add_argument(
        "--anonymous", type=_share, default=0.6, metavar="SHARE", help="of the visitors, 0 to 1 (default: 0.6)"
    )
    parser.add_argument(
        "--overlay",
        action="store_true",
        help="let every session start within one window, with the gaps inside it as they are: thresholds then mean "
        "what they mean in reality",
    )
    parser.add_argument("--window", type=_duration, metavar="TIME", help="the window of --overlay (default: 6h)")
    parser.add_argument(
        "--gap-cap",
        type=_duration,
        metavar="TIME",
        help="shorten the times without any activity. Choose at least the longest threshold (1h for the "
        "defaults) and every silence stays on its side of its threshold; a smaller cap hides abandonments",
    )
    options = parser.parse_args()
    if options.window is not None and not options.overlay:
        parser.error("--window: is the window of --overlay; add that")
    return options


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("is not between 0 and 1")
    return share


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text} {exc}") from None


def _summary(clicks: list[Click], anonymous: float) -> str:
    sessions = {click.session for click in clicks}
    visitors = {click.visitor for click in clicks}
    known = {click.session for click in clicks if click.action != "view" and not is_anonymous(click.visitor, anonymous)}
    hours = (clicks[-1].ms - clicks[0].ms) / 3_600_000 if clicks else 0
    return (
        f"{len(clicks):,} events of {len(sessions):,} sessions ({len(known):,} with a customer) "
        f"of {len(visitors):,} visitors in {hours:,.1f} h"
    )
