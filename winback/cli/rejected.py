"""`winback rejected`: events that couldn't be read, with the reasons."""

import json as jsonlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Self

import typer

from state.event_stream import entry_ms
from state.server_errors import driver_errors
from tasks.delivery.payload import timestamp
from winback.cli.terminal import out, rows
from worker import runtime
from worker.logs.masking import one_line
from worker.server_errors import naming_server
from worker.settings import load, require


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """The reason why one event, or a part of it, was rejected. Of the event itself only the session is stored."""

    at: str
    """The time of the rejection (ISO 8601, UTC)."""
    entry: str
    """The id that its entry had in the activity stream."""
    session: str
    """The shop's session id; empty if it couldn't be read."""
    field: str
    reason: str
    outcome: str
    """`applied without it` or `quarantined`."""

    @classmethod
    def from_entry(cls, entry_id: bytes, fields: Mapping[bytes, bytes]) -> Self:
        """Read an entry of the rejected stream, in which a field may be missing."""

        def text(name: bytes) -> str:
            return one_line(fields.get(name, b"").decode(errors="replace"))

        applied = fields.get(b"applied") == b"1"
        outcome = "applied without it" if applied else "quarantined"
        field = text(b"field")
        return cls(
            at=timestamp(entry_ms(entry_id)),
            entry=text(b"entry"),
            session=text(b"session"),
            field=field,
            reason=text(b"reason").removeprefix(f"{field}: "),
            outcome=outcome,
        )


def list_rejected(
    *,
    limit: Annotated[int, typer.Option(help="Show at most this number, the latest first.", min=1, max=10_000)] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON array of objects.")] = False,
) -> None:
    """List the events of the last seven days that couldn't be read, wholly or in part.

    `applied without it`: the named part was left out and the rest of the event was applied. `quarantined`: no part of
    the event was applied. Of an event only its session is stored. `winback event check` explains an event in full.
    """
    settings = load()
    require(settings, "redis_url")
    with naming_server(settings), driver_errors():
        state = runtime.open_state(settings)
        pipe = state.scripts.client.pipeline(transaction=False)
        pipe.execute_command("XREVRANGE", state.keys.rejected, "+", "-", "COUNT", limit)
        pipe.xlen(state.keys.rejected)
        found, total = pipe.execute()
    rejected = [RejectedRow.from_entry(entry_id, fields) for entry_id, fields in found]
    if json:
        typer.echo(jsonlib.dumps([asdict(one) for one in rejected], indent=2))
        return
    if not rejected:
        typer.echo("no event was rejected")
        return
    _print(rejected)
    if total > len(rejected):
        typer.echo(f"the latest {len(rejected):,} of {total:,}; for more, raise --limit")


def _print(rejected: list[RejectedRow]) -> None:
    cells = [(one.at, one.entry, one.session or "-", one.field, one.outcome, one.reason) for one in rejected]
    rows(out(), ("when", "entry", "session", "field", "outcome", "reason"), cells)


app = typer.Typer(
    name="rejected",
    help="List events that couldn't be read, with the reasons.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.callback()(lambda: None)  # keeps `list` a subcommand while it is the only one
app.command("list")(list_rejected)
