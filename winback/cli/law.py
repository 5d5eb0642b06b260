"""`winback law`: when and how often people can be contacted, by country and state."""

import json as jsonlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from state.channels import CHANNELS
from tasks.policy.law.limit_text import write_limit
from tasks.policy.law.table import DISCLAIMER, LawEntry, table
from tasks.policy.setting_fields import read_place
from winback.cli import terminal
from worker.errors import StartError

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
_ANY = "any time"
_LABEL_WIDTH = 11


def list_(*, json: Json = False) -> None:
    """List every entry: windows, limits, consent, registers, and the month in which it was last checked.

    This is not legal advice. `winback law show CO` has the sources.
    """
    entries = table()
    if json:
        typer.echo(jsonlib.dumps([_document(code, entry) for code, entry in entries.items()], indent=2))
        return
    console = terminal.out()
    console.print(_overview(entries))
    console.print()
    console.print("Windows: when a contact is allowed, by the person's own clock. *: not on public holidays.")
    console.print("Consent: the channels that require it; both: call and whatsapp.")
    console.print(DISCLAIMER)


def show(
    place: Annotated[str, typer.Argument(metavar="COUNTRY", help="CO, Colombia, or US-FL.")], *, json: Json = False
) -> None:
    """Show one entry with its sources, and the holidays of this year and the next.

    This is not legal advice.
    """
    from tasks.policy.law.public_holidays import named  # loads the calendar of a country

    code = read_place(place)
    entry = table().get(code or "")
    if code is None or entry is None:
        raise StartError(_unknown(place, code))
    country, dash, _ = code.partition("-")
    this_year = datetime.now(UTC).year
    years = (this_year, this_year + 1) if entry.closed_on_holidays else ()
    days = {day: name for year in years for day, name in named(country, code if dash else "", year).items()}
    if json:
        holidays = {str(day): name for day, name in days.items()}
        typer.echo(jsonlib.dumps({**_document(code, entry), "holidays": holidays}, indent=2))
        return
    console = terminal.out()
    console.print(Text(f"{code}  {entry.name}", "bold"))
    for label, text in _consent_rows(entry):
        _print(console, label, text)
    for label, lines in (("sources", entry.sources), ("holidays", [_day(day, name) for day, name in days.items()])):
        for place_, line in enumerate(lines):
            _print(console, "" if place_ else label, line)
    console.print()
    console.print(DISCLAIMER)


def _unknown(place: str, code: str | None) -> str:
    if code is None:
        return f"{place[:64]!r} is neither a country nor a state: write CO, Colombia or US-FL"
    return f"{code} has no entry in the law table, so only the settings apply; winback law list shows all entries"


def _overview(entries: dict[str, LawEntry]) -> Table:
    """Return a table with one line for each entry, which fits 80 columns."""
    rows = [
        (
            code,
            _short(entry),
            _joined(map(write_limit, entry.limits)),
            "both" if len(entry.consent) == len(CHANNELS) else _joined(entry.consent),
            entry.checked_on,
            _joined(entry.registers),
        )
        for code, entry in entries.items()
    ]
    found = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for place, head in enumerate(("", "windows", "limits", "consent", "checked")):
        found.add_column(head, no_wrap=True, min_width=max(len(head), *(len(row[place]) for row in rows)))
    found.add_column("registers", no_wrap=True, overflow="ellipsis")
    for row in rows:
        found.add_row(*map(Text, row))
    return found


def _short(entry: LawEntry) -> str:
    """Write windows in few letters: `Mo-Fr 7-19 Sa 8-15 *`."""
    found, before = [], ""
    for window in entry.windows or (_ANY,):
        days, _, hours = window.partition(" ")
        if days != before:
            found.append("-".join(day[:2].title() for day in days.split("-")) if entry.windows else days)
        found.append(re.sub(r"\b0?(\d+)(?::00|(:\d\d))", r"\1\2", hours))
        before = days
    return " ".join([*found, *(["*"] if entry.closed_on_holidays else [])])


def _windows(entry: LawEntry) -> str:
    closed = ["no holidays"] if entry.closed_on_holidays else []
    return "; ".join([*(entry.windows or (_ANY,)), *closed])


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts) or "-"


def _consent_rows(entry: LawEntry) -> Iterator[tuple[str, str]]:
    yield "windows", _windows(entry)
    yield "limits", _joined(map(write_limit, entry.limits))
    yield "consent", _joined(entry.consent)
    yield "registers", _joined(entry.registers)
    if entry.territories:
        yield "also in", _joined(entry.territories)
    yield "in force", f"since {entry.in_force_since}" if entry.in_force_since else "since when is not known"
    yield "checked", entry.checked_on
    if entry.note:
        yield "note", entry.note


def _print(console: Console, label: str, text: str) -> None:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=_LABEL_WIDTH, no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(Text(label, "bold"), Text(text))
    console.print(Padding(row, (0, 0, 0, 2), expand=False))


def _day(day: date, name: str) -> str:
    return f"{day:%Y-%m-%d %a}  {name}"


def _document(code: str, entry: LawEntry) -> dict[str, object]:
    document = entry.model_dump(mode="json")
    return {"code": code, **document, "limits": [write_limit(limit) for limit in entry.limits]}


app = typer.Typer(
    name="law",
    help="When and how often people can be contacted, by country and state. Not legal advice.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("list")(list_)
app.command("show")(show)
