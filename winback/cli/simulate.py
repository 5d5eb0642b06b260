"""`winback simulate`: what other settings would have done with a recording."""

import json as jsonlib
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from detectors.durations import parse_duration
from detectors.lanes import milliseconds
from tasks.policy.blocklist import compiled
from winback.candidates.document import Simulated, document, measured
from winback.candidates.heard import FullReader
from winback.candidates.judging import Candidate, judge
from winback.candidates.measures import Measures, difference
from winback.candidates.prepared import Shoppers
from winback.candidates.settings import candidates
from winback.candidates.silences import SilencePass
from winback.candidates.tally import Asked
from winback.cli import terminal
from winback.tuning.amounts import number, of_100
from winback.tuning.events import HourlyCounts, Source, in_order
from winback.tuning.files import size_of
from worker.errors import StartError
from worker.settings import Settings, load

_MB = 1_000_000
_READING = "reading, MB"
_HEADS = ("settings", "contacts", "a day", "back", "difference", "gone", "reached")


def simulate(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="JSON lines of events, plain or gzip; - for stdin.")
    ],
    *,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE,...", help="A candidate's settings; repeatable.")
    ] = None,
    grids: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="KEY=VALUE,VALUE...", help="A candidate for each value; repeatable."),
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Also count shoppers without contact details.")
    ] = False,
    horizon: Annotated[str, typer.Option(help="Count returns and orders within this time of a contact.")] = "1h",
    gone: Annotated[str, typer.Option(help="After this silence, a shopper had really left.")] = "24h",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare settings on a recording: their contacts, and the people who would have returned anyway.

    Detection and the contact policy run as they do live, without a clock and without Redis. The settings in force
    are always the first candidate. Differences are paired: all candidates judge the same silences.
    """
    settings = load()
    tried = candidates(settings, sets or (), grids or ())
    spans = _duration("--horizon", horizon), _duration("--gone", gone)
    found = _simulated(files, settings, tried, spans, everybody=everybody)
    if json:
        typer.echo(jsonlib.dumps(document(found), indent=2, allow_nan=False))
    else:
        _show(terminal.out(), found)


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
    silences = taken.finish()
    secret = settings.identity_secret.get_secret_value().encode() if settings.identity_secret else None
    all_reachable = everybody or not any(silence.known.person for silence in silences)
    shoppers = Shoppers(secret, compiled(settings.contact.block), all_reachable=all_reachable)
    judged = [one.without_consent() for one in tried] if all_reachable else tried
    return Simulated(
        files=[file.name for file in source.files],
        events=taken.events,
        unreadable=source.unreadable.number_of_lines,
        silences=silences,
        asked=Asked(*spans, taken.first_ms, taken.last_ms),
        candidates=tried,
        is_contactable=not all_reachable,
        verdicts=judge(silences, judged, shoppers, taken.last_ms),
    )


def _show(console: Console, found: Simulated) -> None:
    numbers = measured(found)
    measures = [numbers.total(place) for place in range(len(found.candidates))]
    population = "reachable shoppers" if found.is_contactable else "all shoppers, reachable or not"
    console.print(f"{found.events:,} events, {found.asked.days:.1f} days, {population}. Of 100 people contacted:")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(_HEADS[0], overflow="fold")
    for head in _HEADS[1:]:
        table.add_column(head, justify="right", no_wrap=True)
    for candidate, one in zip(found.candidates, measures, strict=True):
        table.add_row(candidate.name, *_cells(one, measures[0], found.asked))
    console.print(table)


def _cells(one: Measures, base: Measures, asked: Asked) -> list[str]:
    back = "-" if one.back.share is None else of_100(one.back.share)
    paired = difference(one, base)
    shift = "-"
    if one is not base and paired.back_share is not None and paired.low is not None and paired.high is not None:
        shift = f"{100 * paired.back_share:+.1f} ({100 * paired.low:+.1f} to {100 * paired.high:+.1f})"
    a_day = number(one.contacts / asked.days) if asked.days else "-"
    return [f"{one.contacts:,}", a_day, back, shift, f"{one.gone.n:,}", f"{one.gone.contacted:,}"]


def _duration(option: str, text: str) -> int:
    try:
        return milliseconds(parse_duration(text))
    except ValueError:
        raise StartError(f"{option} {text}: write a duration, like 30m, 1h or 24h") from None
