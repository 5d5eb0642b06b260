"""`winback explain`: why somebody was contacted, or was not."""

import json as jsonlib
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detectors.lanes import LANES_BY_NAME
from detectors.normalize.session_ids import stored_as
from state import applied_thresholds
from state.decisions import Operator, OutreachRecord
from state.inventory import Inventory
from state.partitions import is_outreach_id
from state.people import PersonFacts, person_of
from state.session_record import Session
from winback.cli import terminal
from winback.cli.person_options import Email, InCountry, Phone, data_subject
from winback.operations.outreach_story import explain_outreach
from winback.operations.session_story import explain_session
from winback.operations.story import Story
from winback.operations.threshold_source import in_force, threshold_source
from worker import runtime
from worker.errors import StartError
from worker.logs.masking import one_line
from worker.runtime import State
from worker.settings import Settings
from worker.settings.detection_sources import detection_sources

_UNKNOWN = """session {session!r} is not known in namespace {namespace!r}. One of these is why:
  it has not done anything for 7 days, and nothing was planned for it in the last 30 (then it is forgotten)
  it is in another namespace (WINBACK_NAMESPACE), or on another server (WINBACK_REDIS_URL)
  its events could not be read: winback rejected list
  its events are not applied yet: winback status says how many wait"""


def explain(
    session: Annotated[
        str | None, typer.Argument(metavar="[SESSION]", help="The shop's session id, or the id of an outreach.")
    ] = None,
    *,
    phone: Phone = None,
    email: Email = None,
    country: InCountry = None,
    every: Annotated[
        bool, typer.Option("--all", help="With --phone or --email: all sessions, not the latest.")
    ] = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show names, numbers, carts and answers as they are.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Tell the whole story of a session: why its shopper was contacted, or was not, and what happens next.

    When it was at which stage, what it did last, since when it is silent, the threshold that the sweep applies, when
    it is or was claimed, each decision with its reason, each attempt with its status and how long it took. The latest
    eight outreaches are told. With --phone or --email: the person's sessions, and the story of the latest one. Personal
    data is masked unless you say --reveal. Times are UTC.
    """
    if (session is None) == (phone is None and email is None):
        raise StartError("name either a SESSION, or a person by --phone or --email")
    if session is None:
        _explain_person(phone, email, country, every=every, reveal=reveal, json=json)
        return
    settings, state = terminal.opened()
    story = read_story(state, settings, session, reveal=reveal)
    if json:
        typer.echo(jsonlib.dumps(story, indent=2))
    else:
        _print(terminal.out(), story)


def _explain_person(
    phone: str | None, email: str | None, country: str | None, *, every: bool, reveal: bool, json: bool
) -> None:
    from winback.operations import person  # the numbering plans of the world take a while to load

    settings, state = terminal.opened("identity_secret")
    subject = data_subject(state, settings, phone=phone, country=country, email=email, session=None, lenient=False)
    known = person.read(state, Inventory(state.scripts, state.keys, state.cipher), subject, follow=True)
    names = [found.session_id for found in known.sessions]
    # Records outlive their sessions.
    names = [
        *dict.fromkeys(record.session for record in known.outreaches if record.session not in {*names, ""}),
        *names,
    ]
    if not names:
        raise StartError("no session of theirs is known: they are kept for 7 days; winback person show tells the rest")
    stories = [read_story(state, settings, name, reveal=reveal) for name in (names if every else names[-1:])]
    if json:
        typer.echo(jsonlib.dumps({"sessions": names, "stories": stories}, indent=2))
        return
    console = terminal.out()
    console.print(Text.assemble(("sessions", "bold"), "  ", ", ".join(map(one_line, names))))
    for story in stories:
        console.print()
        _print(console, story)


def _print(console: Console, story: Story) -> None:
    if story["session"] is not None:
        _print_session(console, story["session"])
    for outreach in story["outreaches"]:
        console.print()
        print_outreach(outreach, console)


def read_story(state: State, settings: Settings, asked: str, *, reveal: bool) -> Story:
    """Return the story: `session` (null once it is forgotten) and `outreaches`, the first first.

    Raises:
        StartError: neither is known.
    """
    operator, mark = Operator(state.scripts, state.keys, state.cipher), state.streams.watermark()
    name = stored_as(asked)
    records: list[OutreachRecord] = []
    if is_outreach_id(asked):
        records = [record for record in operator.read([asked]) if record is not None]
        if not records:
            raise StartError(f"{asked}: no such outreach; its record is kept for 30 days")
        name = records[0].session
    session = state.sessions.read([name])[0]
    is_known = _is_known(session)
    if session.outreaches:
        earlier = [record for record in records if record.outreach not in session.outreaches]
        records = earlier + [record for record in operator.read(session.outreaches) if record is not None]
    elif name and not is_known:
        # Outreaches are kept for longer than sessions; to find them, all have to be looked at.
        records = operator.of_session(name)
    if not is_known and not records:
        raise StartError(_UNKNOWN.format(session=asked[:128], namespace=settings.namespace))
    facts = _facts(state, settings, session)
    applied = applied_thresholds.read(state.scripts, state.keys, mark.now_ms)
    outreaches = [explain_outreach(record, reveal=reveal, now_ms=mark.now_ms) for record in records]
    detection = in_force(applied, settings.detection)
    found = explain_session(session, detection, mark, facts, reveal=reveal) if is_known else None
    if found and found.get("lane"):
        here = detection_sources(settings.config)
        lane, zone = LANES_BY_NAME[found["lane"]], settings.report.time_zone
        found["threshold_source"] = threshold_source(applied, settings.detection, here, lane, zone)
    if found and session.state == "abandoned" and outreaches:
        found["next"] = outreaches[-1]["next"]
    return {"session": found, "outreaches": outreaches}


def print_outreach(story: Story, console: Console | None = None) -> None:
    """Print one outreach, line by line of its history."""
    console = console or terminal.out()
    ended = f"{story['state']}{': ' + story['reason'] if story['reason'] else ''}"
    threshold = f", threshold {story['threshold']}" if story["threshold"] else ""
    console.print(
        Text.assemble(("outreach ", "bold"), story["outreach"], "  ", (ended, "bold"), f"  {story['lane']}{threshold}")
    )
    lines = Table.grid(padding=(0, 2))
    for line in story["history"]:
        lines.add_row(Text(f"  {line['at']}", "dim"), Text(line["text"]))
    lines.add_row(Text("  next", "bold"), Text(story["next"]))
    console.print(lines)


def _print_session(console: Console, story: Story) -> None:
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts_shown(story):
        # What a shop or a shopper wrote must not move the cursor or turn the text round.
        facts.add_row(Text(name, "bold"), Text(one_line(text)))
    console.print(facts)


def _facts_shown(story: Story) -> Iterator[tuple[str, str]]:
    yield from _progress_shown(story)
    yield from _customer_shown(story["customer"])
    yield "cart", _cart(story["cart"])
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
    yield "session", f"{story['session']}  {story['state']}{where}"
    if story["stored_as"] != story["session"]:
        yield "stored as", story["stored_as"]
    for place, stay in enumerate(story["stages"]):
        yield "" if place else "stages", _stage_visit(stay)
    yield "last activity", story["last_activity"] or "none"
    if story["signal"]:
        yield "signal", f"{story['signal']['kind']} at {story['signal']['at']}"
    yield "purchase", story["purchase"] or "none"
    if story["supersedes"]:
        yield "took over", f"session {story['supersedes']}"
    if story["superseded_by"]:
        yield "taken over", f"by session {story['superseded_by']}"


def _customer_shown(customer: Story) -> Iterator[tuple[str, str]]:
    named = [customer[name] for name in ("name", "phone", "email", "country") if customer[name]]
    yield "customer", "  ".join(named) or "-"
    asked = [f"{name} {answer}" for name, answer in customer["consent"].items() if answer]
    asked += ["opted out"] if customer["opted_out"] else []
    if asked:
        yield "consent", ", ".join(asked)


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


def _is_known(session: Session) -> bool:
    return bool(session.seen_ms or session.fields or session.state != "waiting")


def _facts(state: State, settings: Settings, session: Session) -> PersonFacts | None:
    """Return what is known of the person; None without their number, or the secret that they are recognised by."""
    if settings.identity_secret is None or not session.fields.get("phone"):
        return None
    from tasks.delivery.payload import phone_of  # the numbering plans of the world take a while to load

    number = phone_of(session.fields)
    return state.people.person_facts(person_of(number, runtime.identity_secret(settings))) if number else None
