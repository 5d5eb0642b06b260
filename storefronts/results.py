"""What a request becomes: events, and facts that only the collector can act on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from detectors.json_values import JsonObject

AliasKind = Literal["cart", "checkout", "order"]
SessionBy = Literal["id", "visitor", "alias"]


class VisitorId(NamedTuple):
    """How a source names a visitor or a customer over all of their visits."""

    kind: str
    """Such as `anonymous`, `user` or `client`; ids of different kinds are different visitors."""
    value: str


class Alias(NamedTuple):
    """An id under which other events, also of other sources, can name the same session."""

    kind: AliasKind
    value: str

    @property
    def key(self) -> str:
        """What two equal aliases share.

        A plain number is only the same within its kind: the carts and the orders of a shop are often both counted
        from 1. Any other id is the same whatever a source takes it for.
        """
        return f"{self.kind}-{self.value}" if self.value.isdigit() else self.value

    @property
    def session_id(self) -> str:
        """The name of a session that this alias begins. Carts have theirs in the shop's own events, too."""
        return self.value if self.kind == "cart" else self.key


@dataclass(frozen=True, slots=True)
class Visitor:
    """Everything by which the session of an event can be found."""

    ids: tuple[VisitorId, ...] = ()
    aliases: tuple[Alias, ...] = ()
    """The likeliest first."""


NO_VISITOR = Visitor()


@dataclass(frozen=True, slots=True)
class Translated:
    """One event in Winback's own form (docs/reference/events.md), and how its session is found."""

    event: JsonObject
    dedupe_key: str | None = None
    """Equal for repeats of one event, and for no other event; None if the source has no id for it."""
    visitor: Visitor = NO_VISITOR
    session_by: SessionBy = "id"
    """How the collector finds the session.

    `id`: the event is complete. If it is an order, it also closes the sessions of its aliases.
    `visitor`: the session of an alias, else the visitor's current one, else a new one. The event's `session_id`, if
    there is one, is a name for the new one.
    `alias`: the session of an alias. Without one, an order begins one: it can arrive before the checkout. An opt-out or
    an event about a payment counts for the person that it names by phone number or e-mail address. Any other event is
    dropped.
    """


@dataclass(frozen=True, slots=True)
class Profile:
    """More about a visitor: fields of the customer, or further ids. It's no sign that the shopper is there."""

    customer: JsonObject
    visitor: Visitor
    occurred_at: datetime
    dedupe_key: str | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request to remove all data of a person, or of a whole shop."""

    people: tuple[JsonObject, ...] = ()
    """Each with `phone_number` or `email`, as in the `customer` of an event."""
    visitor: Visitor = NO_VISITOR
    shop: str = ""
    """If set: everything of this shop, and no person is named."""
    dedupe_key: str | None = None


@dataclass(frozen=True, slots=True)
class DataRequest:
    """A person's request for a copy of their data. The shop answers it; the operator has to be notified."""

    people: tuple[JsonObject, ...] = ()
    visitor: Visitor = NO_VISITOR
    dedupe_key: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part of a request that became nothing. It holds no personal data."""

    reason: str
    name: str = ""
    """The source's name of the event or topic."""
    place: int = 0
    """The position in a batch, from 0."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item in place of one of Winback's own events. Ingest quarantines it with the reason, for the operator."""

    raw: bytes
    reason: str
    """Without personal data."""
    place: int = 0
    """The position in a batch, from 0."""


Part = Translated | Profile | Erasure | DataRequest | Ignored | Rejected


@dataclass(frozen=True, slots=True)
class Result:
    """All parts of one request, in its order."""

    parts: tuple[Part, ...] = field(default=())

    @classmethod
    def of(cls, parts: Iterable[Part]) -> "Result":
        """Return the result that has these parts."""
        return cls(tuple(parts))

    @property
    def translated(self) -> tuple[Translated, ...]:
        """The events, each with how its session is found."""
        return tuple(part for part in self.parts if isinstance(part, Translated))

    @property
    def events(self) -> tuple[JsonObject, ...]:
        """The events."""
        return tuple(part.event for part in self.translated)

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """What stands in place of events."""
        return tuple(part for part in self.parts if isinstance(part, Rejected))

    @property
    def ignored(self) -> tuple[Ignored, ...]:
        """What became nothing, with the reasons."""
        return tuple(part for part in self.parts if isinstance(part, Ignored))
