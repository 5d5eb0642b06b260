"""Parts of requests whose session is found when they are written: in Redis, so not while Redis is down.

Until then a part is a line of its own form, also in the spool, where lines keep their order. Placing a part again finds
the same session, so a repeated delivery does no harm.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic_core import from_json, to_json

from detectors.json_values import JsonObject, JsonValue
from detectors.sequence import NO_DATE_MS
from state.visitor_records import SHOPS
from state.visitors import Placed, Visit, Visitors
from storefronts.results import Alias, Profile, Translated, Visitor, VisitorId
from worker.collector.reported_sources import ReportedSources, SourceBatch
from worker.collector.shops_of_ids import ShopsOfIds

MARK = b"@"
"""The first byte of a line that holds a part. An event begins with a brace."""
_BY_PERSON = frozenset({"order_completed", "opt_out", "payment_pending", "payment_declined"})
"""Types that count for a person if there is no session."""
_USERS = frozenset({"user", "customer"})
"""Kinds of ids that a visitor has on every device."""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An event or a profile, and everything by which its session is found."""

    words: JsonObject

    def line(self) -> bytes:
        """Return it as a line, which has no line break in it."""
        return MARK + to_json(self.words, inf_nan_mode="null")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Bytes in place of an event, which ingest quarantines with the reason."""

    raw: bytes

    def line(self) -> bytes:
        """Return them as a line, which is never taken for a part."""
        return b" " + self.raw.replace(b"\r", b" ").replace(b"\n", b" ")


def unplaced(part: Translated | Profile, scope: str, received: datetime, source: str = "") -> Unplaced:
    """Return a part that is to be placed.

    Args:
        part: The event or the profile.
        scope: Within what its ids are unique, such as a shop.
        received: When it was accepted.
        source: What its events name as their source; empty for none.
    """
    words: JsonObject = _ids(part.visitor, scope) | ({"source": source} if source else {})
    if isinstance(part, Profile):
        words |= {"by": "profile", "at": _occurred_ms(part.occurred_at, received), "customer": part.customer}
        words["occurred_at"] = part.occurred_at.isoformat()
        return Unplaced(words)
    event = part.event
    name = event.get("session_id") or next((_name(alias, scope) for alias in part.visitor.aliases), "")
    return Unplaced(
        words
        | {"by": part.session_by, "at": _occurred_ms(event.get("occurred_at"), received), "event": event, "name": name}
    )


def is_user(one: VisitorId) -> bool:
    """Return whether a visitor has this id on every device."""
    return one.kind in _USERS


def _name(alias: Alias, scope: str) -> str:
    """Return the name of a session that an alias begins, which no other shop's alias begins."""
    return f"{scope}-{alias.session_id}" if scope else alias.session_id


class Placing:
    """Finds the sessions of lines."""

    def __init__(self, visitors: Visitors, sources: SourceBatch | None = None, shops: Sequence[str] = ()) -> None:
        """Prepare. `shops`: within which ids count; empty if there are fewer than two."""
        self._visitors = visitors
        self._shops = ShopsOfIds(visitors, shops)
        self._sources = sources or ReportedSources().batch()

    def events(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Return the events that lines become, in their order.

        Raises:
            StateError: Some may not have been placed; place all again.
        """
        parts = [from_json(line[len(MARK) :]) if line.startswith(MARK) else None for line in lines]
        waiting = self._shops.found([part for part in parts if part is not None])
        if not waiting:
            return lines
        places = iter(self._visitors.place(SHOPS, [_visit(part) for variants in waiting for part in variants]))
        variants_of = iter(waiting)
        found: list[bytes] = []
        for line, part in zip(lines, parts, strict=True):
            if part is None:
                found.append(line)
                continue
            source = part.get("source") or ""
            for variant in next(variants_of):
                found += [to_json(self._sources.name(event, source)) for event in _placed(variant, next(places))]
        return found


def _occurred_ms(stated: JsonValue | datetime, received: datetime) -> int:
    """Return when an event occurred (Unix ms); when it was received, if its own time can't be right."""
    latest_ms = _ms(received)
    try:
        moment = datetime.fromisoformat(stated) if isinstance(stated, str) else stated
        at_ms = _ms(moment) if isinstance(moment, datetime) else 0
    except (ValueError, OverflowError):
        return latest_ms
    return at_ms if NO_DATE_MS <= at_ms < latest_ms else latest_ms


def _ms(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _ids(visitor: Visitor, scope: str) -> JsonObject:
    def first(*, user: bool) -> str:
        return next((f"{scope}:{one.kind}:{one.value}" for one in visitor.ids if is_user(one) is user), "")

    return {
        "visitor": first(user=False),
        "user": first(user=True),
        "ids": [f"{scope}:{alias.key}" for alias in visitor.aliases],
    }


def _refuses(customer: JsonObject) -> bool:
    consent = customer.get("consent")
    return isinstance(consent, dict) and False in consent.values()


def _names_person(customer: JsonObject) -> bool:
    return bool(customer.get("phone_number") or customer.get("email"))


def _visit(part: JsonObject) -> Visit:
    event, by = part.get("event") or {}, part["by"]
    is_alone = by == "id"  # its own session: the visitor's current one doesn't matter
    visitor, user = ("", "") if is_alone else (part["visitor"], part["user"])
    customer = part.get("customer") or {}
    return Visit(
        at_ms=part["at"],
        visitor=visitor,
        user=user,
        is_order=event.get("type") == "order_completed",
        begins=is_alone or _begins(part, event),
        place=_place(event),
        ids=part["ids"],
        name=part.get("name") or "",
        customer={name: to_json(value).decode() for name, value in customer.items()},
    )


def _begins(part: JsonObject, event: JsonObject) -> bool:
    """Whether a part can begin a session. An order by an alias can arrive before the checkout that it ends."""
    if part["by"] == "alias":
        return event.get("type") == "order_completed" and bool(part["name"])
    return part["by"] == "visitor" and bool(part["visitor"] or part["user"] or part["name"])


def _place(event: Mapping[str, JsonValue]) -> str:
    stage = event.get("flow_stage") or ("payment" if str(event.get("type", "")).startswith("payment_") else "")
    return f"{stage}.{event.get('platform') or 'web'}" if stage else ""


def _placed(part: JsonObject, placed: Placed) -> Iterator[JsonObject]:
    known: JsonObject = {name: from_json(value) for name, value in placed.customer.items()}
    if part["by"] == "profile":
        stage, _, platform = placed.place.partition(".")
        if placed.session and stage:
            yield {
                "session_id": placed.session,
                "type": "activity",
                "flow_stage": stage,
                "platform": platform,
                "occurred_at": part["occurred_at"],
                "customer": known | part["customer"],
            }
        elif _refuses(part["customer"]) and _names_person(part["customer"]):
            # What stops a contact doesn't wait. Without a session, the stage of an activity has no effect.
            yield {
                "type": "activity",
                "flow_stage": "product_selection",
                "platform": "web",
                "occurred_at": part["occurred_at"],
                "customer": part["customer"],
            }
        return
    event: JsonObject = {name: value for name, value in part["event"].items() if name != "session_id"}
    customer = event.get("customer") or {}
    if part["by"] == "id":
        yield part["event"]
        if event.get("type") == "order_completed" and placed.session not in {"", part["event"]["session_id"]}:
            yield {"session_id": placed.session, **event}
    elif placed.session:
        if known:
            event["customer"] = known | customer
        if placed.continues and "previous_session_id" not in event:
            event["previous_session_id"] = placed.continues
        yield {"session_id": placed.session, **event}
    elif (event.get("type") in _BY_PERSON or _refuses(customer)) and _names_person(customer):
        yield event
