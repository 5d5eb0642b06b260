"""`winback simulate`: what other settings would have done with a recording."""

import json as jsonlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from detectors.durations import parse_duration
from detectors.lanes import milliseconds
from tasks.policy.blocklist import compiled
from winback.candidates.compare_plot import COMPARED, require_two, write_comparison
from winback.candidates.document import Simulated, document, measured
from winback.candidates.heard import FullReader
from winback.candidates.judging import Candidate, Verdict, judge
from winback.candidates.plot import FORMS, write_plot
from winback.candidates.prepared import Shoppers
from winback.candidates.settings import candidates
from winback.candidates.silences import Silence, SilencePass
from winback.candidates.tally import Asked
from winback.cli import terminal
from winback.cli.grouped_options import grouped_options
from winback.cli.simulate_screen import show
from winback.tuning.events import HourlyCounts, Source, in_order
from winback.tuning.files import size_of
from winback.tuning.plot_page import require_form
from worker.errors import StartError
from worker.settings import Settings, load

_MB = 1_000_000
_READING, _JUDGING = "reading, MB", "judging silences"


@dataclass(frozen=True)
class Trying:
    """The candidates."""

    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE,...", help="A candidate's settings; repeatable.")
    ] = None
    grids: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="KEY=VALUE,VALUE...", help="A candidate for each value; repeatable."),
    ] = None


@dataclass(frozen=True)
class Drawing:
    """The files of the plots."""

    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw the candidates: FILE ends with .svg or .png.")
    ] = None
    compare: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw one candidate against the settings in force, by stage.")
    ] = None


@grouped_options
def simulate(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="JSON lines of events, plain or gzip; - for stdin.")
    ],
    *,
    trying: Trying,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Also count shoppers without contact details.")
    ] = False,
    horizon: Annotated[str, typer.Option(help="Count returns and orders within this time of a contact.")] = "1h",
    gone: Annotated[str, typer.Option(help="After this silence, a shopper had really left.")] = "24h",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    drawing: Drawing,
) -> None:
    """Compare settings on a recording: their contacts, and the people who would have returned anyway.

    Detection and the contact policy run as they do live, without a clock and without Redis. The settings in force
    are always the first candidate. Differences are paired: all candidates judge the same silences.
    """
    form = require_form(drawing.plot, FORMS) if drawing.plot else ""
    compared = require_form(drawing.compare, FORMS, "--compare") if drawing.compare else ""
    settings = load()
    tried = candidates(settings, trying.sets or (), trying.grids or ())
    require_two(len(tried) if drawing.compare else COMPARED)
    spans = _duration("--horizon", horizon), _duration("--gone", gone)
    found = _simulated(files, settings, tried, spans, everybody=everybody)
    numbers = measured(found)
    if drawing.plot:
        write_plot(drawing.plot, form, found, numbers.totals)
    if drawing.compare:
        write_comparison(drawing.compare, compared, found, numbers)
    if json:
        typer.echo(jsonlib.dumps(document(found, numbers), indent=2, allow_nan=False))
    else:
        show(terminal.out(), found, numbers.totals)


def _simulated(
    files: list[str], settings: Settings, tried: list[Candidate], spans: tuple[int, int], *, everybody: bool
) -> Simulated:
    shortest_ms = min(wait for one in tried for waits in one.waits() for wait in waits)
    taken = SilencePass(settings.ingest.bot_events_per_minute, shortest_ms)
    size, hours = size_of(files), HourlyCounts()
    with terminal.progress(_READING, None if size is None else max(1, size // _MB)) as bar:
        source = Source(FullReader(settings.detection), lambda done: bar.at(_READING, done // _MB))
        for events in in_order(source.events(files)):
            taken.take(events)
            hours.add(events)
    source.require_order(taken.events, hours.out_of_order)
    if not taken.events:
        raise StartError(" ".join([f"{source.files[0].name}: has no events.", *source.doubts]))
    silences = taken.finish()
    secret = settings.identity_secret.get_secret_value().encode() if settings.identity_secret else None
    all_reachable = everybody or not any(silence.known.person for silence in silences)
    shoppers = Shoppers(secret, compiled(settings.contact.block), all_reachable=all_reachable)
    judged = [one.without_consent() for one in tried] if all_reachable else tried
    return Simulated(
        files=[file.name for file in source.files],
        events=taken.events,
        unreadable=source.unreadable.number_of_lines,
        future=source.future.number_of_lines,
        doubts=source.doubts,
        silences=silences,
        asked=Asked(*spans, taken.first_ms, taken.last_ms),
        candidates=tried,
        is_contactable=not all_reachable,
        verdicts=_judged(silences, judged, shoppers, taken.last_ms),
    )


def _judged(
    silences: Sequence[Silence], candidates: Sequence[Candidate], shoppers: Shoppers, last_ms: int
) -> list[list[Verdict]]:
    with terminal.progress(_JUDGING, len(silences)) as bar:
        return judge(silences, candidates, shoppers, last_ms, lambda done: bar.at(_JUDGING, done))


def _duration(option: str, text: str) -> int:
    try:
        return milliseconds(parse_duration(text))
    except ValueError:
        raise StartError(f"{option} {text}: write a duration, like 30m, 1h or 24h") from None
