"""The parts of a call of Segment's specification: visitor, customer, platform and campaign."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from detectors.flow import Platform
from detectors.json_values import JsonObject, JsonValue
from detectors.reading.names import squash
from storefronts import clock, customers, events
from storefronts.delivery import Delivery
from storefronts.options import Options
from storefronts.results import Alias, Ignored, Visitor
from storefronts.segment_names import STAGES, TAKEN_BACK
from storefronts.values import first, identifier, mapping, text

_LONGEST_NAME = 64
_PLATFORMS: Mapping[str, Platform] = {"ios": "ios", "android": "android"}
_LIBRARIES: Mapping[str, Platform] = {**_PLATFORMS, "swift": "ios", "kotlin": "android"}
_UTM = ("source", "medium", "term", "content")
_KNOWN = STAGES.keys() | TAKEN_BACK


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    fields: JsonObject
    kind: str
    """The type of the call, such as `track`."""
    name: str
    """The name of a track call's event, squashed."""
    properties: JsonObject
    """What the event is about."""
    context: JsonObject
    """Where it happened."""
    traits: tuple[JsonObject, ...]
    """The objects that can name the customer, the most reliable first."""
    occurred_at: datetime
    stopped_at: datetime
    """As `occurred_at`, if it stops a contact."""
    options: Options
    place: int
    """The position in a batch."""

    @classmethod
    def of(cls, fields: JsonObject, delivery: Delivery, options: Options, place: int) -> Self:
        """Return the call that a body describes."""
        properties, context = mapping(fields.get("properties")), mapping(fields.get("context"))
        timestamp = fields.get("timestamp") or fields.get("originalTimestamp")
        # Segment has corrected the timestamp of a call that it received. It can arrive from there hours later.
        sent_at = None if fields.get("receivedAt") else fields.get("sentAt")
        contacts: JsonObject = {name: properties[name] for name in ("email", "phone") if name in properties}
        traits = (mapping(fields.get("traits")), mapping(context.get("traits")), contacts)
        return cls(
            fields,
            kind=text(fields.get("type")).lower(),
            name=squash(text(fields.get("event"))),
            properties=properties,
            context=context,
            traits=tuple(filter(None, traits)),
            occurred_at=clock.occurred(timestamp, delivery.received, sent_at=sent_at),
            stopped_at=clock.stopped(timestamp, delivery.received, sent_at=sent_at),
            options=options,
            place=place,
        )

    @property
    def dedupe_key(self) -> str | None:
        """The same for a call that comes directly and by the webhook."""
        return events.dedupe_key("segment", identifier(self.fields.get("messageId")))

    @property
    def platform(self) -> Platform:
        """The platform that the SDK names, else web."""
        for part, field in (("device", "type"), ("os", "name")):
            found = _PLATFORMS.get(text(mapping(self.context.get(part)).get(field)).lower())
            if found:
                return found
        library = text(mapping(self.context.get("library")).get("name")).lower()
        return _LIBRARIES.get(library.rpartition("-")[2], "web")

    @property
    def phones(self) -> list[JsonValue]:
        """All phone numbers of the visitor."""
        return [traits.get("phone") for traits in self.traits]

    @property
    def emails(self) -> list[JsonValue]:
        """All e-mail addresses of the visitor."""
        return [traits.get("email") for traits in self.traits]

    @property
    def customer(self) -> JsonObject:
        """The customer. A locale names a language, and no country: `en-US` is everywhere."""
        traits = self.traits
        names = (customers.full_name(one, first_name="firstName", last_name="lastName") for one in traits)
        return customers.customer(
            name=first(*names),
            phones=self.phones,
            emails=self.emails,
            countries=[mapping(one.get("address")).get("country") for one in traits],
            language=text(self.context.get("locale")).replace("_", "-").partition("-")[0],
            consent=customers.consent(self.fields, self.options),
        )

    @property
    def aliases(self) -> tuple[Alias, ...]:
        """The ids of the cart, the checkout and the order."""
        return events.aliases(*(self.properties.get(name) for name in ("cart_id", "checkout_id", "order_id")))

    @property
    def visitor(self) -> Visitor:
        """Everything by which the session can be found. An alias call has one field for both kinds of ids."""
        user, anonymous = self.fields.get("userId"), self.fields.get("anonymousId")
        stated: list[tuple[str, JsonValue]] = [("user", user), ("anonymous", anonymous)]
        if self.kind == "alias":
            stated += [(kind, self.fields.get("previousId")) for kind in ("user", "anonymous")]
        return events.visitor(*stated, aliases=self.aliases)

    @property
    def campaign(self) -> JsonObject:
        """The campaign, as metadata."""
        campaign = mapping(self.context.get("campaign"))
        if not campaign:
            return {}
        found = {f"utm_{name}": campaign.get(name) for name in _UTM}
        return events.metadata(utm_campaign=campaign.get("name"), **found)

    def ignored(self, reason: str) -> Ignored:
        """Return that the call becomes nothing. Names of a shop's own events aren't shown: they can be personal."""
        shown = text(self.fields.get("event"))[:_LONGEST_NAME] if self.name in _KNOWN else ""
        return Ignored(reason, name=shown, place=self.place)
