"""ActivityEvent: the model of the events that storefronts send."""

import json
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import to_json

from detectors.activity_fields import Expiry, Moment, Money, Price, SessionId, SourceName, Text
from detectors.flow import EventType, Platform, Stage
from detectors.json_values import JsonObject

MAX_EVENT_BYTES = 64 * 1024
MAX_METADATA_BYTES = 8 * 1024
MAX_CART_ITEMS = 200
MAX_CART_IDS = 8

OPTIONAL_PARTS = frozenset(
    {
        "occurred_at",
        "flow_stage",
        "platform",
        "customer",
        "cart",
        "engagement",
        "previous_session_id",
        "expires_at",
        "order_value",
        "currency",
        "cart_ids",
        "source",
        "also_named",
    }
)
"""Fields that an event can lose and still show that its shopper is active. See detectors.parsing."""


def _without_extra(schema: JsonObject) -> None:
    schema.pop("additionalProperties", None)


class _EventPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Named(_EventPart):
    # Accept unknown fields: a shop that adds a field must not lose its events. Keep them, because detectors.parsing
    # checks whether one is a signal under another name.
    model_config = ConfigDict(frozen=True, extra="allow", json_schema_extra=_without_extra)


NAMES_PERSON: frozenset[EventType] = frozenset({"order_completed", "opt_out", "payment_pending", "payment_declined"})
"""Types of event that need no session where they name a person: all they can do to others is stop a contact."""

Answer = Annotated[bool | None, Field(strict=True)]


class Consent(_Named):
    """The customer's answers per channel. None means no answer, and doesn't take back an earlier one."""

    call: Answer = None
    whatsapp: Answer = None
    given_at: Text | None = Field(default=None, description="when the customer answered, ISO 8601; kept as proof")
    source: Text | None = Field(default=None, description="where the customer answered; kept as proof")


class Customer(_Named):
    """The customer. Any event can carry any of the fields; an explicit null clears a field."""

    full_name: Text | None = None
    phone_number: Text | None = Field(default=None, description="E.164, or national and read with country_code")
    email: Text | None = None
    country_code: Text | None = Field(default=None, description="ISO 3166-1: CO, COL and Colombia are all read")
    language: Text | None = Field(default=None, description="es, en, pt-BR, pt_br, ...")
    consent: Consent | None = None
    time_zone: Text | None = Field(default=None, description="IANA name, such as America/Bogota; must be open too")
    region: Text | None = Field(default=None, description="ISO 3166-2, or the part after the dash: US-FL, FL")


class Item(_EventPart):
    """One line of a cart. quantity counts pieces; price is that of one piece in the cart's currency.

    A line with a negative price is a discount.
    """

    name: Text | None = None
    sku: Text | None = None
    quantity: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] | None = None
    price: Price | None = None


class Cart(_Named):
    """The whole current cart. `items: []`, a total of 0 and no field at all mean that it is empty."""

    total_value: Money | None = None
    currency: Text | None = Field(default=None, description="ISO 4217")
    items: Annotated[list[Item], Field(max_length=MAX_CART_ITEMS)] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the cart is empty: no lines, only lines with quantity 0, a total of 0, or no field."""
        if not self.model_fields_set or self.total_value == 0:
            return True
        return self.items is not None and all(item.quantity == 0 for item in self.items)

    def pack(self) -> str:
        """Return a compact JSON text for storage: `[total, currency, [[name, sku, quantity, price], ...]]`."""
        items = None if self.items is None else [[i.name, i.sku, i.quantity, i.price] for i in self.items]
        return to_json([self.total_value, self.currency, items]).decode()

    @classmethod
    def unpack(cls, text: str) -> Self:
        """Return the cart that `pack` wrote."""
        total, currency, items = json.loads(text)
        keys = ("name", "sku", "quantity", "price")
        rows = None if items is None else [dict(zip(keys, item, strict=True)) for item in items]
        return cls.model_validate({"total_value": total, "currency": currency, "items": rows})


class Engagement(_EventPart):
    """How to reach the customer, and notes of the shop for the Recovery Agent."""

    preferred_channel: Text | None = Field(default=None, description="call, whatsapp or auto")
    reason: Text | None = None
    metadata: dict[str, object] | None = Field(default=None, description="at most 8 KiB as JSON")

    @field_validator("metadata")
    @classmethod
    def _bounded(cls, value: dict[str, object] | None) -> dict[str, object] | None:
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except ValueError:
            # The library's own message can quote the number.
            raise ValueError("holds a number that JSON cannot express") from None
        if value and len(text.encode()) > MAX_METADATA_BYTES:
            raise ValueError(f"is larger than {MAX_METADATA_BYTES} bytes")
        return value


class ActivityEvent(_Named):
    """One action of a shopper, as one JSON object of at most 64 KiB."""

    session_id: SessionId | None = Field(default=None, description="the id of the cart or checkout; never a device id")
    type: EventType
    occurred_at: Moment = Field(default=None, description="ISO 8601; without it, the arrival counts")
    flow_stage: Stage | None = Field(default=None, description="needed by type activity")
    platform: Platform | None = Field(default=None, description="needed by type activity")
    previous_session_id: SessionId | None = None
    customer: Customer | None = None
    cart: Cart | None = None
    engagement: Engagement | None = None
    expires_at: Expiry = Field(default=None, description="payment_pending: when the voucher runs out")
    order_value: Money | None = None
    currency: Text | None = None
    cart_ids: Annotated[list[SessionId], Field(max_length=MAX_CART_IDS)] | None = Field(
        default=None, description="order_completed, payment_pending: further ids of the cart, checkout or session"
    )
    source: SourceName = Field(default=None, description="the tool that reported it, for winback explain: yuno, pos/1")

    also_named: SkipJsonSchema[tuple[Customer, ...]] = ()
    """Set by detectors.reading: the people that an order, opt-out or payment names outside `customer`."""

    @model_validator(mode="after")
    def _names_person(self) -> Self:
        if self.session_id is None:
            if self.type not in NAMES_PERSON and not self.refuses:
                raise ValueError("session_id is missing")
            if not any(one.phone_number or one.email for one in self.people):
                raise ValueError(
                    "session_id is missing, and there is no customer.phone_number or customer.email in its place"
                )
        return self

    @property
    def also_sessions(self) -> tuple[str, ...]:
        """Further ids of the purchase or the pending payment. Their sessions are closed with it."""
        if self.type not in {"order_completed", "payment_pending"}:
            return ()
        ids = (self.previous_session_id, *(self.cart_ids or ()))
        return tuple(dict.fromkeys(one for one in ids if one and one != self.session_id))

    @property
    def people(self) -> tuple[Customer, ...]:
        """Every person that an order, opt-out or payment can be about. Only `customer` can be contacted."""
        return (*((self.customer,) if self.customer else ()), *self.also_named)

    @property
    def refuses(self) -> bool:
        """Whether the customer refuses a channel."""
        consent = None if self.customer is None else self.customer.consent
        return consent is not None and False in {consent.call, consent.whatsapp}

    @property
    def empties(self) -> bool:
        """Whether the event reports an empty cart."""
        return "cart" in self.model_fields_set and (self.cart is None or self.cart.is_empty)

    @property
    def lacks_stage(self) -> bool:
        """Whether this is an activity without its stage or its platform."""
        return self.type == "activity" and (self.flow_stage is None or self.platform is None)
