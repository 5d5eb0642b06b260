"""The output of `winback person show`, for a terminal of 80 columns."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from winback.operations.story import Story
from worker.logs.masking import one_line


def show(console: Console, story: Story) -> None:
    """Print a person."""
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(story):
        facts.add_row(Text(name, "bold"), Text(one_line(text)))
    console.print(facts)
    for title, lines in (("sessions", _sessions(story)), ("contacts", _contacts(story))):
        console.print()
        _list(console, title, list(lines))
    console.print()
    after = Table.grid(padding=(0, 2))
    after.add_row(Text("next", "bold"), Text(one_line(story["next"])))
    console.print(after)


def _facts(story: Story) -> Iterator[tuple[str, str]]:
    yield from _named("identities", [_identity(one) for one in story["identities"]])
    sources = dict.fromkeys(f"{one['source']} since {_day(one['at'])}" for one in story["opt_outs"])
    yield from _named("opted out", list(sources) or ["no"])
    yield from _named("consent", [_consent(one) for one in story["consent"]] or ["none recorded"])
    yield "bought", story["bought"] or "not recently"
    limits = story["limits"]
    yield "limits", f"{limits['used']} of {limits['of']} contact in {limits['cap']} (contact.cap)"
    yield "unread", f"{story['unread_events']} events not applied yet"


def _named(name: str, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for index, line in enumerate(lines or ["none"]):
        yield "" if index else name, line


def _identity(one: Story) -> str:
    how = "" if one["how"] == "named" else f"  ({one['how']})"
    return f"{one['kind']} {one['identity']}{how}"


def _consent(one: Story) -> str:
    text = f"{one['channel']}: {one['answer']}"
    text += f" at {one['at']}" if one["at"] else ""
    text += f", given {one['given_at']}" if one["given_at"] else ""
    text += f", source {one['source']}" if one["source"] else ""
    return text + (f" (session {one['session']})" if one["session"] else "")


def _sessions(story: Story) -> Iterator[Sequence[str]]:
    for one in story["sessions"]:
        where = f"{one['stage']} on {one['platform']}" if one["stage"] else "no stage yet"
        yield f"{one['id']}  {one['state']}", f"{where}, last activity {one['last_activity'] or 'none'}", one["next"]


def _contacts(story: Story) -> Iterator[Sequence[str]]:
    for one in story["contacts"]:
        when = f"contacted {one['contacted']}" if one["contacted"] else f"claimed {one['claimed']}"
        channel = f" by {one['channel']}" if one["channel"] else ""
        yield f"{one['outreach']}  {one['outcome']}", f"{when}{channel}", f"session {one['session'] or '-'}"


def _list(console: Console, title: str, items: Sequence[Sequence[str]]) -> None:
    """Print items of several lines each."""
    if not items:
        console.print(Text.assemble((title, "bold"), "  none"))
        return
    console.print(Text(title, "bold"))
    for first, *rest in items:
        console.print(Padding(Text(one_line(first)), (0, 0, 0, 2)))
        for line in rest:
            console.print(Padding(Text(one_line(line), "dim"), (0, 0, 0, 4)))


def _day(at: str | None) -> str:
    return at[:10] if at else "an unknown date"
