"""`winback collect requests`: requests of shops' tools to erase or hand out a person's data."""

import json as jsonlib
from typing import Annotated

import typer

from state.inventory import Inventory
from state.privacy_requests import PrivacyRequest
from tasks.delivery.payload import timestamp
from winback.operations.privacy_list import RequestRow, document
from worker.errors import StartError

_HEADS = ("id", "kind", "from", "age", "person", "state")
_HINTS = {
    "data request": "Answer a data request with winback person export, then run this command with --done ID.",
    "shop erasure": "Erase a shop by hand (docs/guides/collect.md), then run this command with --done ID.",
}


def requests(
    *,
    done: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Mark a request as done, and remove it. Repeat it.")
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show numbers and addresses as they are.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array of objects.")] = False,
) -> None:
    """List the open requests to erase or hand out a person's data that shops' tools have sent.

    Erasures of people run by themselves, usually within a minute, and leave the list when they are complete. Answer
    data requests, and erase a whole shop, yourself. Then mark each as done. Until then `winback status` mentions them.

    Exit code 2 if a request that you mark as done isn't open.
    """
    from winback.cli import terminal  # the collector itself starts without rich

    _, state = terminal.opened()
    inventory = Inventory(state.scripts, state.keys, state.cipher)
    if done:
        _finish(inventory, done)
        return
    now_ms = inventory.now_ms()
    found = sorted(inventory.requests.open(), key=lambda one: one.received_ms)
    if json:
        documents = [document(one, timestamp(one.received_ms), reveal=reveal) for one in found]
        typer.echo(jsonlib.dumps(documents, indent=2, ensure_ascii=False))
    elif found:
        _print([RequestRow.of(one, now_ms, reveal=reveal) for one in found])
        _print_hints(found)
    else:
        typer.echo("no request is open")


def _finish(inventory: Inventory, ids: list[str]) -> None:
    unknown = []
    for request in dict.fromkeys(ids):
        if inventory.requests.finish(request):
            typer.echo(f"{request}: done")
        else:
            unknown.append(request)
    if unknown:
        raise StartError(f"--done {', '.join(unknown)}: no such request is open; winback collect requests lists them")


def _print(found: list[RequestRow]) -> None:
    from winback.cli import terminal

    cells = [(one.id, one.kind, one.sender, one.age, one.person, one.state) for one in found]
    terminal.rows(terminal.out(), _HEADS, cells)


def _print_hints(found: list[PrivacyRequest]) -> None:
    kinds = {one.kind for one in found}
    for kind, hint in _HINTS.items():
        if kind in kinds:
            typer.echo(hint)
