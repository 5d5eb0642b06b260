"""Output that several commands share: a console, tables, times, a question and a progress bar."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from state import deployment
from state.connection import require_suitable
from tasks.delivery.payload import timestamp
from winback.cli.layouts import SEPARATOR, Flowing
from worker import runtime
from worker.runtime import State
from worker.server_errors import call_with_timeout
from worker.settings import Settings, load, require
from worker.settings.generated_secrets import with_kept_secret

_GAP = 2
_LEAST_WIDTH = 16
PIPED_WIDTH = 1000  # characters; what reads a pipe wants whole lines


class Opened(NamedTuple):
    """The settings, and the state on a server that has answered."""

    settings: Settings
    state: State


def opened(*keys: str) -> Opened:
    """Load the settings and connect to the server.

    Without an identity secret, use the one that `winback up` generated, if the data was written with it.

    Raises:
        StartError: a setting is missing or invalid, or the server doesn't answer.
    """
    given = load()
    completed, kept = with_kept_secret(given)
    require(completed, "redis_url", *keys)

    def connected() -> Opened:
        state = runtime.open_state(given)
        require_suitable(state.client)
        # A secret that no setting names must not become the secret of other data.
        settings = completed if not kept or _wrote_data(completed, state) else given
        if "identity_secret" in keys:
            require(settings, "identity_secret")
            # Another secret gives other hashes, so that no person would be found.
            deployment.check(state.scripts, state.keys, runtime.identity_secret(settings), None)
        return Opened(settings, state)

    return call_with_timeout(given, connected)


def _wrote_data(settings: Settings, state: State) -> bool:
    own = deployment.fingerprint(runtime.identity_secret(settings))
    return deployment.recorded_identity(state.scripts, state.keys) == own


def out() -> Console:
    """Return the console to print on."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console


def rows(console: Console, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a table; only its last column may break. On a narrow screen each row takes several lines instead.

    Nothing is cut off, since ids must be complete to be pasted.
    """
    widths = [max(map(cell_len, column)) for column in zip(heads, *lines, strict=True)]
    if sum(widths[:-1]) + min(widths[-1], _LEAST_WIDTH) + _GAP * (len(widths) - 1) > console.width:
        for place, line in enumerate((heads, *lines)):
            _print_flowing(console, line, "" if place else "bold")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads[:-1]:
        table.add_column(head, no_wrap=True)
    table.columns.append(Column(heads[-1], overflow="fold", _index=len(heads) - 1))
    for line in lines:
        # Text, not markup: a value in [brackets] is shown as it is.
        table.add_row(*(Text(cell) for cell in line))
    console.print(table)


def _print_flowing(console: Console, cells: Sequence[str], style: str) -> None:
    """Print a row in as few lines as it needs, the later ones indented."""
    first, *rest = [Text(cell, style) for cell in cells if cell]
    fitting = [first]
    while rest and sum(part.cell_len + SEPARATOR.cell_len for part in fitting) + rest[0].cell_len <= console.width:
        fitting.append(rest.pop(0))
    console.print(SEPARATOR.join(fitting))
    if rest:
        console.print(Padding(Flowing(rest), (0, 0, 0, _GAP), expand=False))


def moment(ms: int) -> str:
    """Return Unix ms as ISO 8601 in UTC, to the second; `-` for never."""
    return timestamp(ms - ms % 1000) if ms else "-"


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless `yes`.

    Raises:
        typer.Exit: with code 1, if the answer isn't `y`.
    """
    if not yes and not typer.confirm(question, err=True):
        raise typer.Exit(1)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator["Bar"]:
    """Show the progress of a task on stderr, if that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as shown:
        yield Bar(shown, what, total)


class Bar:
    """A progress bar whose task can change."""

    def __init__(self, shown: Progress, what: str, total: int | None) -> None:
        self._shown = shown
        self._task = shown.add_task(what, total=total)

    def advance(self, by: int) -> None:
        """Add `by` to the completed number."""
        self._shown.advance(self._task, by)

    def at(self, what: str, number: int) -> None:
        """Set the task's description and completed number."""
        self._shown.update(self._task, description=what, completed=number)
