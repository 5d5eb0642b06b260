"""`winback tune`: how long to wait at each stage, from the shop's own recording."""

import json as jsonlib
from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from detectors.durations import parse_duration
from detectors.flow import Stage
from detectors.lanes import milliseconds
from detectors.sequence import ACTIVITY_RANKS
from state import silence_counters
from state.silence_counters import Counters
from tasks.policy import quiet_hours
from thresholds.curve import Question
from thresholds.grid import DAY_MS
from winback.cli import terminal
from winback.cli.grouped_options import grouped_options
from winback.cli.tune_screen import show
from winback.tuning.claims import Claims, read_claims
from winback.tuning.document import document
from winback.tuning.files import STDIN, size_of
from winback.tuning.live import require_counted, tune_live
from winback.tuning.plot_page import require_form, write_plot
from winback.tuning.recording import Recording, read_recording
from winback.tuning.tuning import Tuned, Wanted
from winback.tuning.tuning import tune as recommend
from winback.tuning.wording import toml as settings_of
from worker import runtime
from worker.errors import StartError
from worker.recorder.pseudonyms import Pseudonyms
from worker.server_errors import call_with_timeout
from worker.settings import Settings, load, require

_PERCENT = 100
_NONE_GIVEN = 1
_MB = 1_000_000
_READING = "reading, MB"
_LONGEST_HORIZON_MS = 7 * 24 * 3_600_000


@dataclass(frozen=True)
class Asking:
    """The promise that is asked for."""

    target: Annotated[
        str, typer.Option(help="Of the people contacted, at most this part would have returned by themselves.")
    ] = "10%"
    horizon: Annotated[str, typer.Option(help="The time within which they would have returned, like 1h or 24h.")] = "1h"
    outcome: Annotated[Literal["return", "order"], typer.Option(help="Ask about returns, or about orders only.")] = (
        "return"
    )
    stage: Annotated[Stage | None, typer.Option(help="Show only this stage.")] = None
    cautious: Annotated[
        bool, typer.Option("--cautious", help="Keep the target also if the numbers are off by chance.")
    ] = False


@dataclass(frozen=True)
class About:
    """What is known of the recording."""

    from_redis: Annotated[
        bool, typer.Option("--from-redis", help="Use the silences counted in Redis instead of a recording.")
    ] = False
    everybody: Annotated[bool, typer.Option("--everybody", help="Also count shoppers without contact details.")] = False
    contacts: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON lines of the contacts made while it was taken.")
    ] = None
    shadow: Annotated[bool, typer.Option("--shadow", help="State that no person was contacted while it was taken.")] = (
        False
    )


@grouped_options
def tune(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE...", help="JSON lines of events, plain or gzip; - for stdin.")
    ] = None,
    *,
    asking: Asking,
    about: About,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    toml: Annotated[bool, typer.Option("--toml", help="Print only the settings to paste.")] = False,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw the results: FILE ends with .svg, .png or .html.")
    ] = None,
) -> None:
    """Recommend idle thresholds from a recording of the shop's events, or from counters in Redis.

    A threshold is the shortest that keeps the target: of the people contacted then, at most this part would have
    returned by themselves within the horizon. Exit code 1 if no stage gets a recommendation.
    """
    if json and toml:
        raise StartError("--toml: can't be used with --json: name one of them")
    form = require_form(plot) if plot else ""
    found = _tuned(files or [], asking, about)
    if plot:
        write_plot(plot, form, found)
    _print(found, as_json=json, as_toml=toml)
    if not found.given:
        raise typer.Exit(_NONE_GIVEN)


def _tuned(files: list[str], asking: Asking, about: About) -> Tuned:
    question = Question(asking.outcome, _horizon(asking.horizon))
    wanted = Wanted(question, _target(asking.target), asking.cautious, asking.stage)
    if about.from_redis:
        return _from_redis(files, wanted, about)
    if not files:
        raise StartError("FILE: name a recording, or use the silences counted in Redis (--from-redis)")
    if about.shadow and about.contacts:
        raise StartError("--shadow: can't be used with --contacts: name one of them")
    if files.count(STDIN) + (about.contacts == STDIN) > 1:
        raise StartError("-: standard input can be read only once")
    settings = load()
    # With the secret, contacts are found in recordings of winback record, too.
    secret = settings.identity_secret
    names = Pseudonyms(secret.get_secret_value().encode()).session if secret else None
    claims = read_claims(about.contacts, names) if about.contacts else None
    return recommend(
        _read(files, settings, claims, everybody=about.everybody),
        wanted,
        settings.detection,
        max_per_session=settings.contact.max_per_session,
        quiet_hours=quiet_hours.write(settings.contact.quiet_hours),
        claims=claims,
        knowledge="recorded" if claims else "shadow" if about.shadow else "unknown",
    )


def _from_redis(files: list[str], wanted: Wanted, about: About) -> Tuned:
    others = {"FILE": files, "--contacts": about.contacts, "--shadow": about.shadow, "--everybody": about.everybody}
    if other := next((name for name, given in others.items() if given), None):
        raise StartError(f"--from-redis: can't be used with {other}, which is about a recording")
    settings = load()
    require(settings, "redis_url")
    require_counted(settings, wanted)
    state = runtime.open_state(settings)

    def read() -> tuple[int, list[Counters]]:
        now_ms = silence_counters.server_time(state.scripts)
        ranks = range(ACTIVITY_RANKS)
        return now_ms, list(silence_counters.read(state.scripts, state.keys, ranks, now_ms // DAY_MS))

    now_ms, counters = call_with_timeout(settings, read)
    return tune_live(counters, now_ms, wanted, settings, quiet_hours.write(settings.contact.quiet_hours))


def _read(files: list[str], settings: Settings, claims: Claims | None, *, everybody: bool) -> Recording:
    size = size_of(files)
    with terminal.progress(_READING, None if size is None else max(1, size // _MB)) as bar:
        return read_recording(
            files, settings, claims=claims, all_shoppers=everybody, progress=lambda done: bar.at(_READING, done // _MB)
        )


def _print(found: Tuned, *, as_json: bool, as_toml: bool) -> None:
    if as_json:
        typer.echo(jsonlib.dumps(document(found), indent=2, allow_nan=False))
    elif as_toml:
        typer.echo(settings_of(found), nl=False)
    else:
        show(terminal.out(), found)


def _target(text: str) -> float:
    number, percent, rest = text.strip().partition("%")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    share = value / _PERCENT if percent else value
    if rest or not 0 < share < 1:
        raise StartError(f"--target {text}: write a percentage, like 10%, or a part of one, like 0.1")
    return share


def _horizon(text: str) -> int:
    try:
        horizon_ms = milliseconds(parse_duration(text))
    except ValueError:
        raise StartError(f"--horizon {text}: write a duration, like 30m, 1h or 24h") from None
    if not 0 < horizon_ms <= _LONGEST_HORIZON_MS:
        raise StartError(f"--horizon {text}: must be at most 7d")
    return horizon_ms
