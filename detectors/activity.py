"""ActivityEvent: the one model of what storefronts send, and its JSON Schema."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import to_json

from detectors.flow import Platform, Stage

MAX_EVENT_BYTES = 64 * 1024
MAX_METADATA_BYTES = 8 * 1024
MAX_CART_ITEMS = 200

EventType = Literal["activity", "exit", "payment_declined", "payment_pending", "order_completed", "opt_out"]
SESSION_ID_PATTERN = r"^[A-Za-z0-9._:\-~@+=]{1,128}$"
SessionId = Annotated[str, StringConstraints(pattern=SESSION_ID_PATTERN)]
SESSION_ID_FORM = "1 to 128 characters, each a letter from A to Z, a digit or one of . _ : - ~ @ + ="
"""The pattern of a session_id, for people."""
Text = Annotated[str, StringConstraints(max_length=256, strip_whitespace=True)]


def _iso_8601(value: object) -> object:
    """Read the usual form quickly (pydantic takes four times as long); what this cannot read is left to pydantic."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value


Moment = Annotated[datetime, BeforeValidator(_iso_8601)]
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]

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
    }
)
"""What an event can lose and still say that its shopper was there. See detectors.parsing."""


class _Part(BaseModel):
    # Unknown fields are ignored, not refused: a shop that adds a field must not lose the event with it.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Consent(_Part):
    """What the customer allowed, per channel; None means not asked."""

    call: bool | None = None
    whatsapp: bool | None = None
    given_at: Text | None = Field(default=None, description="when the customer answered, ISO 8601; kept as proof")
    source: Text | None = Field(default=None, description="where the customer answered; kept as proof")


class Customer(_Part):
    """Who is shopping. Fields arrive in any event, one by one; an explicit null clears a field."""

    full_name: Text | None = None
    phone_number: Text | None = Field(default=None, description="E.164, or national and read with country_code")
    email: Text | None = None
    country_code: Text | None = Field(default=None, description="ISO 3166-1: CO, COL and Colombia are all read")
    language: Text | None = Field(default=None, description="es, en, pt-BR, pt_br, ...")
    consent: Consent | None = None
    time_zone: Text | None = Field(default=None, description="IANA name, such as America/Bogota; must be open too")
    region: Text | None = Field(default=None, description="ISO 3166-2, or the part after the dash: US-FL, FL")


class Item(_Part):
    """One line of a cart. quantity counts pieces; price is that of one piece in the cart's currency."""

    name: Text | None = None
    sku: Text | None = None
    quantity: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    price: Money | None = None


class Cart(_Part):
    """The whole cart as it is now; `items: []` says that it was emptied."""

    total_value: Money | None = None
    currency: Text | None = Field(default=None, description="ISO 4217")
    items: Annotated[list[Item], Field(max_length=MAX_CART_ITEMS)] | None = None

    def pack(self) -> str:
        """Return a compact JSON text for storage: `[total, currency, [[name, sku, quantity, price], ...]]`."""
        items = None if self.items is None else [[i.name, i.sku, i.quantity, i.price] for i in self.items]
        return to_json([self.total_value, self.currency, items]).decode()

    @classmethod
    def unpack(cls, text: str) -> Self:
        """Read what `pack` wrote."""
        total, currency, items = json.loads(text)
        keys = ("name", "sku", "quantity", "price")
        rows = None if items is None else [dict(zip(keys, item, strict=True)) for item in items]
        return cls.model_validate({"total_value": total, "currency": currency, "items": rows})


class Engagement(_Part):
    """How to reach the customer, and what the shop wants the Recovery Agent to know."""

    preferred_channel: Text | None = Field(default=None, description="call, whatsapp or auto")
    reason: Text | None = None
    metadata: dict[str, Any] | None = Field(default=None, description="at most 8 KiB as JSON")

    @field_validator("metadata")
    @classmethod
    def _bounded(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except ValueError:
            # The library's own words can quote the number.
            raise ValueError("holds a number that JSON cannot express") from None
        if value and len(text.encode()) > MAX_METADATA_BYTES:
            raise ValueError(f"is larger than {MAX_METADATA_BYTES} bytes")
        return value


class ActivityEvent(_Part):
    """One thing a shopper did, as one JSON object of at most 64 KiB."""

    session_id: SessionId | None = Field(default=None, description="the id of the cart or checkout; never a device id")
    type: EventType
    occurred_at: Moment | None = Field(default=None, description="ISO 8601; without it, the arrival counts")
    flow_stage: Stage | None = Field(default=None, description="needed by type activity")
    platform: Platform | None = Field(default=None, description="needed by type activity")
    previous_session_id: SessionId | None = None
    customer: Customer | None = None
    cart: Cart | None = None
    engagement: Engagement | None = None
    expires_at: Moment | None = Field(default=None, description="payment_pending: when the voucher runs out")
    order_value: Money | None = None
    currency: Text | None = None

    @model_validator(mode="after")
    def _names_someone(self) -> Self:
        if self.session_id is None:
            phone = self.customer and self.customer.phone_number
            if self.type not in {"order_completed", "opt_out"}:
                raise ValueError("session_id is missing")
            if not phone:
                raise ValueError("session_id is missing, and there is no customer.phone_number in its place")
        return self

    @property
    def lacks_stage(self) -> bool:
        """Whether this is an activity that does not say where in the flow, or on which platform, it happened."""
        return self.type == "activity" and (self.flow_stage is None or self.platform is None)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one event."""
    schema = ActivityEvent.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    text = {"type": "string"}
    phone = {"required": ["phone_number"], "properties": {"phone_number": {"type": "string", "pattern": r"\S"}}}
    names_session = {"required": ["session_id"], "properties": {"session_id": text}}
    names_person = {"required": ["customer"], "properties": {"customer": {"type": "object", **phone}}}
    schema["allOf"] = [
        {
            "if": {"properties": {"type": {"const": "activity"}}},
            "then": {"required": ["flow_stage", "platform"], "properties": {"flow_stage": text, "platform": text}},
        },
        {
            "if": {"properties": {"type": {"enum": ["order_completed", "opt_out"]}}},
            "then": {"anyOf": [names_session, names_person]},
            "else": names_session,
        },
    ]
    return schema
