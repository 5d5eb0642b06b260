"""The output of `winback explain`: a session and its outreaches."""

import json as jsonlib
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from winback.cli import terminal
from winback.cli.local_times import with_local_times
from winback.operations.session_story import source_of
from winback.operations.story import Story
from worker.logs.masking import one_line

_NO_ZONE = (
    "Times are UTC: the shopper's time zone isn't certain, and contact.default_zone and report.time_zone name no other."
)


def show(console: Console, story: Story) -> None:
    """Print a session and its outreaches."""
    if story.get("found_by"):
        console.print(Text.assemble(("found by  ", "bold"), one_line(story["found_by"])))
    if story["session"] is not None:
        _print_session(console, story["session"], story["time_zone"])
    for outreach in story["outreaches"]:
        console.print()
        print_outreach(outreach, console, time_zone=story["time_zone"])
    if story["time_zone"]:
        zone_of = f"the time zone of the {story['time_zone_of']}"
        console.print(Text(f"\nTimes are UTC, in brackets {story['time_zone']}, {zone_of}.", "dim"))
    else:
        console.print(Text(f"\n{_NO_ZONE}", "dim"))


def print_outreach(story: Story, console: Console | None = None, *, time_zone: str | None = None) -> None:
    """Print one outreach with each line of its history."""
    console = console or terminal.out()
    ended = f"{story['state']}{': ' + story['reason'] if story['reason'] else ''}"
    threshold = f", threshold {story['threshold']}" if story["threshold"] else ""
    console.print(
        Text.assemble(("outreach ", "bold"), story["outreach"], "  ", (ended, "bold"), f"  {story['lane']}{threshold}")
    )
    lines = Table.grid(padding=(0, 2))
    explained: set[str] = set()
    for line in story["history"]:
        lines.add_row(
            Text(f"  {with_local_times(line['at'] or '-', time_zone)}", "dim"),
            Text(with_local_times(line["text"], time_zone)),
        )
        meaning = line.get("meaning")
        if meaning and meaning not in explained:
            explained.add(meaning)
            lines.add_row("", Text(meaning, "dim"))
    console.print(lines)
    rest = Table.grid(padding=(0, 2))
    if story.get("other_session"):
        rest.add_row(Text("  other session", "bold"), Text(one_line(story["other_session"])))
    rest.add_row(Text("  next", "bold"), Text(with_local_times(story["next"], time_zone)))
    console.print(rest)


def _print_session(console: Console, story: Story, time_zone: str | None) -> None:
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts_shown(story):
        # Text from a shop or a shopper must not move the cursor or reverse the direction of the text.
        shown = one_line(text) if name in {"customer", "cart"} else with_local_times(one_line(text), time_zone)
        facts.add_row(Text(name, "bold"), Text(shown))
    console.print(facts)


def _facts_shown(story: Story) -> Iterator[tuple[str, str]]:
    yield from _progress_shown(story)
    if story["unreadable"]:
        yield "customer", story["unreadable"]
    else:
        yield from _customer_shown(story["customer"], _by(story["sources"], "customer"))
        for place, problem in enumerate(story["contact_problems"]):
            yield "" if place else "no contact", problem
        yield "cart", _cart(story["cart"]) + (_by(story["sources"], "cart") if story["cart"] else "")
    if story["person"]:
        yield "person", _person(story["person"])
    yield "contacts", str(story["contacts"])
    yield "silent since", story["silent_since"] or "-"
    if story.get("lane"):
        yield "lane", f"{story['lane']}, threshold {story['threshold']} ({story['setting']})"
        yield "", story["threshold_source"]
    if story.get("claimed_from"):
        yield "claimed from", story["claimed_from"]
    yield "next", story["next"]


def _progress_shown(story: Story) -> Iterator[tuple[str, str]]:
    where = f" at {story['stage']} on {story['platform']}" if story["stage"] else ""
    if story["state"] == "waiting" and not where:
        where = " for a stage and platform"
    yield "session", f"{story['session']}  {story['state']}{where}"
    if story["meaning"]:
        yield "meaning", story["meaning"]
    if story["stored_as"] != story["session"]:
        yield "stored as", story["stored_as"]
    sources = story["sources"]
    for place, stay in enumerate(story["stages"]):
        yield "" if place else "stages", _stage_visit(stay) + _by(sources, f"{stay['stage']}.{stay['platform']}")
    yield "last activity", story["last_activity"] or "none at a stage"
    if signal := story["signal"]:
        yield "signal", f"{signal['kind']} at {signal['at']}{_by(sources, signal['kind'])}"
    yield "purchase", (story["purchase"] or "none") + _by(sources, "order_completed" if story["purchase"] else "")
    if story["supersedes"]:
        yield "took over", f"session {story['supersedes']}"
    if story["superseded_by"]:
        yield "taken over", f"by session {story['superseded_by']}"


def _customer_shown(customer: Story, by: str) -> Iterator[tuple[str, str]]:
    named = [customer[name] for name in ("name", "phone", "email", "country") if customer[name]]
    yield "customer", ("  ".join(named) + by) if named else "-"
    asked = [f"{name} {answer}" for name, answer in customer["consent"].items() if answer]
    asked += ["opted out"] if customer["opted_out"] else []
    if asked:
        yield "consent", ", ".join(asked)


def _by(sources: Story, part: str) -> str:
    """Return which source reported a part of the session, as the end of a line."""
    found = source_of(sources, part)
    return f"  ({found})" if found else ""


def _cart(cart: object) -> str:
    if cart is None:
        return "none"
    return cart if isinstance(cart, str) else jsonlib.dumps(cart, ensure_ascii=False)


def _stage_visit(stay: Story) -> str:
    place, begins, ends = f"{stay['stage']}.{stay['platform']}", stay["from"], stay["to"]
    return f"{place} at {begins}" if begins == ends else f"{place} from {begins} to {ends}"


def _person(person: Story) -> str:
    known_facts = ["opted out"] if person["opted_out"] else []
    known_facts += ["bought recently"] if person["bought"] else []
    if person["reserved_by"]:
        known_facts.append(f"contacted, or being contacted, by {person['reserved_by']} at {person['reserved']}")
    return ", ".join(known_facts) or "has not opted out, has not bought or been contacted recently"
