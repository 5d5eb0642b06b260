"""Select outreaches for a command, ask for confirmation, and apply the operator's decision to them."""

import functools
import json as jsonlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Annotated, NamedTuple, Protocol

import typer

from detectors.durations import parse_duration
from detectors.flow import Stage
from detectors.lanes import LANES_BY_NAME, milliseconds
from state.decisions import CHUNK, DecisionResult, Operator, OutreachRecord
from state.partitions import is_outreach_id
from tasks.policy.longest_delay import longest_delay
from winback.cli import terminal
from worker.errors import StartError

Ids = Annotated[list[str] | None, typer.Argument(metavar="[OUTREACH]...", help="Ids, as shown by `list`.")]
All = Annotated[bool, typer.Option("--all", help="Every outreach that matches the filters.")]
OfStage = Annotated[Stage | None, typer.Option("--stage", help="Only outreaches abandoned at this stage.")]
OfReason = Annotated[str | None, typer.Option("--reason", help="Only outreaches whose reason begins with this.")]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", help="Only if ended, or open, for longer than this: 90s, 2h, 3d.")
]
Limit = Annotated[int | None, typer.Option("--limit", help="At most this number of outreaches.", min=1)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]

SHOWN = 10
"""Rows shown before a question. The rest are counted."""
_WORDS = {
    "done": "done",
    "retried": "due again",
    "gone": "no such outreach, or its record has expired",
    "is": "not changed: its state is {}",
    "dropped": "not changed: it was dropped before",
    "too_soon": "too soon: its request might still be in flight; possible from {} on",
    "moved_on": "not changed: its session has moved on ({})",
    "too_old": "not changed: too old for a contact (detection.max_abandonment_age)",
    "no_body": "not changed: its key and request are kept for 24 h only; sending it again could be a second contact",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """The criteria that select outreaches."""

    stage: Stage | None = None
    reason: str | None = None
    older_than: str | None = None

    def keeps(self, record: OutreachRecord, now_ms: int) -> bool:
        """Return whether an outreach matches."""
        lane = LANES_BY_NAME.get(record.lane)
        return (
            (self.stage is None or (lane is not None and lane.stage == self.stage))
            and (self.reason is None or record.reason.startswith(self.reason))
            and now_ms - (record.ended_ms or record.claimed_ms) >= self.age_ms
        )

    @property
    def age_ms(self) -> int:
        """How long they must have been open or ended, in ms.

        Raises:
            StartError: the option's value isn't a duration.
        """
        if self.older_than is None:
            return 0
        try:
            return milliseconds(parse_duration(self.older_than))
        except ValueError as problem:
            raise StartError(f"--older-than: {self.older_than!r} {problem}") from None


class Opened(NamedTuple):
    """The outreaches of a server that has answered, and its time (Unix ms)."""

    operator: Operator
    now_ms: int


def opened() -> Opened:
    """Load the settings and connect to the server."""
    settings, state = terminal.opened()
    delay_ms = milliseconds(longest_delay(settings.contact, settings.experiment))
    return Opened(Operator(state.scripts, state.keys, state.cipher, delay_ms), state.streams.watermark().now_ms)


def find(
    operator: Operator, states: Sequence[str], chosen: Filter, *, now_ms: int, limit: int | None = None
) -> list[OutreachRecord]:
    """Find outreaches, in the order of their claims. A limit keeps those that are due first, or ended first."""
    _ = chosen.age_ms
    found = (record for record in operator.find(states, few=limit) if chosen.keeps(record, now_ms))
    return sorted(islice(found, limit), key=lambda record: (record.claimed_ms, record.outreach))


def choose(
    operator: Operator,
    states: Sequence[str],
    ids: Sequence[str] | None,
    chosen: Filter,
    *,
    every: bool,
    now_ms: int,
    limit: int | None,
    all_of: str = "--all",
) -> list[OutreachRecord]:
    """Return the named outreaches, or with `every` all in one of the states that match the filter.

    Raises:
        StartError: both or neither were given, or an id is unknown.
    """
    if bool(ids) == every:
        raise StartError(f"name outreaches by the ids that `list` shows, or add {all_of}; filters narrow it down")
    if not ids:
        return find(operator, states, chosen, now_ms=now_ms, limit=limit)
    return read(operator, ids)


def read(operator: Operator, ids: Sequence[str]) -> list[OutreachRecord]:
    """Return the named outreaches.

    Raises:
        StartError: one line for each id that is invalid or unknown.
    """
    wrong = [found for found in ids if not is_outreach_id(found)]
    if wrong:
        raise StartError(
            "\n".join(f"{found[:64]!r} is not an outreach id, like 07-0123456789abcdef" for found in wrong)
        )
    records = operator.read(ids)
    missing = [found for found, record in zip(ids, records, strict=True) if record is None]
    if missing:
        raise StartError("\n".join(f"{found}: no such outreach; its record is kept for 30 days" for found in missing))
    return [record for record in records if record is not None]


def show(records: Sequence[OutreachRecord], *, json: bool, nothing: str) -> None:
    """Print outreaches, one a line, without their histories."""
    if json:
        typer.echo(jsonlib.dumps([document(record) for record in records], indent=2))
    elif not records:
        typer.echo(nothing)
    else:
        terminal.rows(terminal.out(), _HEADS, [_row(record) for record in records])


def document(record: OutreachRecord) -> dict[str, object]:
    """Return an outreach's record as JSON data, without its history. Times are Unix ms; null means never."""
    found = asdict(record)
    del found["history"]
    return {name: None if name.endswith("_ms") and value == 0 else value for name, value in found.items()}


class Decide(Protocol):
    """Applies a decision to outreaches. With `dry_run` it only returns the results that it would have."""

    def __call__(self, outreaches: Sequence[str], *, dry_run: bool = False) -> list[DecisionResult]:
        """Return a result for each outreach, in the same order."""


def apply_decision(
    records: Sequence[OutreachRecord], decide: Decide, question: str, *, nothing: str, yes: bool, json: bool
) -> None:
    """Check which outreaches allow a decision, ask, apply it, and print the reasons of the others with exit code 1."""
    if not records:
        typer.echo("[]" if json else nothing)
        return
    refused: list[DecisionResult] = []
    if not yes:
        dry_runs = _each(records, functools.partial(decide, dry_run=True), "Check")
        refused = [verdict for verdict in dry_runs if not verdict.done]
        records = [record for record, verdict in zip(records, dry_runs, strict=True) if verdict.done]
        if records:
            _ask(records, refused, question)
    verdicts = [*_each(records, decide, question), *refused]
    _report(verdicts, json=json)
    if not all(verdict.done for verdict in verdicts):
        raise typer.Exit(1)


def _each(records: Sequence[OutreachRecord], decide: Decide, what: str) -> list[DecisionResult]:
    verdicts: list[DecisionResult] = []
    with terminal.progress(what, len(records)) as bar:
        for chunk in _chunks([record.outreach for record in records]):
            verdicts += decide(chunk)
            bar.advance(len(chunk))
    return verdicts


def _ask(records: Sequence[OutreachRecord], refused: Sequence[DecisionResult], question: str) -> None:
    console = terminal.out()
    console.stderr = True
    terminal.rows(console, _HEADS, [_row(record) for record in records[:SHOWN]])
    if len(records) > SHOWN:
        console.print(f"and {len(records) - SHOWN:,} more")
    for why, number in Counter(words(verdict) for verdict in refused).items():
        console.print(f"{_number(number)} not: {why}", markup=False)
    terminal.confirm(f"{question} {_number(len(records))}?", yes=False)


def _report(verdicts: Sequence[DecisionResult], *, json: bool) -> None:
    if json:
        documents = [{**asdict(verdict), "done": verdict.done, "text": words(verdict)} for verdict in verdicts]
        typer.echo(jsonlib.dumps(documents, indent=2))
        return
    done = Counter(words(verdict) for verdict in verdicts if verdict.done)
    for text, number in done.items():
        typer.echo(f"{_number(number)}: {text}")
    for verdict in verdicts:
        if not verdict.done:
            typer.echo(f"{verdict.outreach}: {words(verdict)}")


def words(verdict: DecisionResult) -> str:
    """Describe the result of a decision."""
    detail = verdict.detail
    if verdict.word == "too_soon":
        detail = terminal.moment(int(detail))
    if verdict.word == "moved_on":
        detail = detail or "it has expired"
    text = _WORDS[verdict.word].format(detail)
    return f"ended {detail}" if verdict.word == "done" and detail else text


_HEADS = ("outreach", "state", "claimed", "lane", "attempts", "session", "reason")


def _row(record: OutreachRecord) -> tuple[str, ...]:
    since = terminal.moment(record.claimed_ms)
    return (record.outreach, record.state, since, record.lane, str(record.attempts), record.session, record.reason)


def _number(count: int) -> str:
    return "1 outreach" if count == 1 else f"{count:,} outreaches"


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    left = iter(ids)
    while chunk := list(islice(left, CHUNK)):
        yield chunk
