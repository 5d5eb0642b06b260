"""`winback event`: send events, watch them arrive, explain their problems, print their JSON Schema."""

import json as jsonlib
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from detectors.activity_schema import json_schema
from winback.cli.event_flags import EventFlags
from winback.cli.event_outlet import Outlet
from winback.cli.event_tail import tail
from winback.cli.grouped_options import grouped_options
from winback.operations import event_check, json_lines
from winback.operations.event_request import Requests
from winback.operations.json_lines import JsonLine
from winback.operations.producer import Producer
from worker import runtime
from worker.errors import StartError
from worker.server_errors import naming_server
from worker.settings import load, require


@grouped_options
def emit(
    source: Annotated[
        typer.FileBinaryRead | None,
        typer.Argument(metavar="[FILE|-]", help="Events as JSON lines, instead of one from flags; - for stdin."),
    ] = None,
    *,
    flags: EventFlags,
    force: Annotated[bool, typer.Option("--force", help="Also send events with problems.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines: line, and id or problems.")] = False,
) -> None:
    """Write events to the activity stream and print the ids of their entries.

    Sends one event from flags, or many as JSON lines: `winback event emit - < events.jsonl`. An event that has a
    problem for `winback event check` isn't sent. Its line and problem are printed on stderr, the other lines are sent,
    and the exit code is 1. Warnings are printed on stderr, too, and with --force nothing is checked.
    """
    event = flags.event()
    if (source is None) == (not event):
        raise StartError("event emit: describe one event with flags (--help lists them), or name a file or -, not both")
    settings = load()
    require(settings, "redis_url")
    with naming_server(settings):
        state = runtime.open_state(settings)
        outlet = Outlet(Producer(state.client, state.keys.events), force=force, json=json)
        if source is None:
            outlet.send([JsonLine(0, jsonlib.dumps({"type": "activity"} | event, ensure_ascii=False).encode())])
        else:
            for lines in json_lines.events(source):
                outlet.send(lines)
        outlet.report()
    if outlet.refused:
        raise typer.Exit(1)


def check(
    source: Annotated[
        typer.FileBinaryRead, typer.Argument(metavar="[FILE|-]", help="One event, or JSON lines; - for stdin.")
    ] = "-",  # type: ignore[assignment]  # click opens it
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines: line, level, field, message, effect; the request.")
    ] = False,
) -> None:
    """Explain how Winback would read events, and list their problems, without sending them.

    Prints how each field was understood, and the request that would follow if the shopper did nothing more. The
    request comes from the events only: settings, law and the person's stored data aren't consulted.

    A problem means that the event, or a part of it, would be rejected; the exit code is then 1. A warning needs your
    attention: a field that isn't read, or a phone number that can't be called. Personal data in the events is printed;
    nothing is logged or stored.
    """
    requests, show = Requests(), _as_json if json else _as_text
    if source.isatty():
        typer.echo("reading events from the terminal; Ctrl-D ends", err=True)
    events, count = 0, {"problem": 0, "warning": 0}
    for lines in json_lines.events(source):
        now_ms = time.time_ns() // 1_000_000
        for line in lines:
            events += 1
            checked = event_check.check_event(line.text, now_ms, requests)
            for finding in checked.findings:
                count[finding.level] += 1
            for shown in show(checked, line):
                typer.echo(shown)
    if not events:
        raise StartError("event check: the input has no event")
    if not json:
        typer.echo(", ".join(_counted(number, name) for name, number in {"event": events, **count}.items()))
    if count["problem"] or (strict and count["warning"]):
        raise typer.Exit(1)


def _as_text(checked: event_check.Checked, line: JsonLine) -> Iterator[str]:
    for reading in checked.readings:
        yield f"{line.label}{reading}"
    for finding in checked.findings:
        warning = "warning: " if finding.level == "warning" else ""
        yield f"{line.label}{warning}{finding}"
    if checked.request is not None:
        yield f"{line.label}request {checked.request}"
    elif checked.why_not:
        yield f"{line.label}no request: {checked.why_not}"


def _as_json(checked: event_check.Checked, line: JsonLine) -> Iterator[str]:
    for reading in checked.readings:
        yield _data(line, level="reading", field=reading.field, message=reading.message)
    for finding in checked.findings:
        yield jsonlib.dumps(event_check.as_data(finding, line.number))
    if checked.request is not None:
        yield _data(line, level="request", request=jsonlib.loads(checked.request))
    elif checked.why_not:
        yield _data(line, level="request", request=None, message=checked.why_not)


def _data(line: JsonLine, **values: object) -> str:
    return jsonlib.dumps({"line": line.number or None, **values})


def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of an event, for editors, validators and generators."""
    typer.echo(jsonlib.dumps(json_schema(), indent=2))


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


app = typer.Typer(
    name="event",
    help="Send events, watch them arrive, explain their problems, print their JSON Schema.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("emit")(emit)
app.command("check")(check)
app.command("tail")(tail)
app.command("schema")(schema)
