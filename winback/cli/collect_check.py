"""`winback collect check`: the events that a request of a shop becomes."""

import json as jsonlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from storefronts.key_classes import permitted
from storefronts.registry import SOURCES
from winback.cli.collect_flags import RequestFlags, SourceFlags
from winback.cli.grouped_options import grouped_options
from winback.operations import source_check
from winback.operations.source_check import PartKind
from worker.errors import StartError
from worker.settings import load

_NOTHING: frozenset[PartKind] = frozenset({"ignored", "rejected"})


@grouped_options
def check(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE|-", help="The body of one request.")],
    source: Annotated[str, typer.Option(metavar="NAME", help=f"The sender: {', '.join(SOURCES)}.")],
    *,
    request: RequestFlags,
    flags: SourceFlags,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one for each part.")] = False,
) -> None:
    """Show what a request of a shop becomes, without a server, by the settings of `[collect]`.

    Prints each event with how its session is found, and the reason for each part that is ignored. Signatures aren't
    verified. Names, phone numbers and e-mail addresses are masked. The exit code is 1 if the request becomes nothing.
    """
    if source not in SOURCES:
        raise StartError(f"collect check: {source!r} is no source; --source takes {', '.join(SOURCES)}")
    if source == "shopify" and not request.topic:
        raise StartError(
            "collect check: a webhook of Shopify needs its topic; add --topic, such as --topic orders/paid"
        )
    now = datetime.now(UTC)
    delivery = request.delivery(file.read(), now)
    result = SOURCES[source].result(delivery, flags.options(load().collect.options(source)))
    if SOURCES[source].has_key:
        result = permitted(result, request.key)
    parts = [source_check.check_part(part, int(delivery.received.timestamp() * 1000)) for part in result.parts]
    for part in parts:
        typer.echo(jsonlib.dumps(part.document(), default=str) if json else "\n".join(part.lines()))
    if not json:
        typer.echo(_counted(part.kind for part in parts))
    if all(part.kind in _NOTHING for part in parts):
        raise typer.Exit(1)


def _counted(kinds: Iterable[PartKind]) -> str:
    found = Counter(kinds)
    texts = (f"{number} {kind}{'' if number == 1 or kind in _NOTHING else 's'}" for kind, number in found.items())
    return ", ".join(texts) or "The request holds nothing."
