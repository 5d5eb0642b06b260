"""The body of a request to Yuno's Recovery Agent: its fields, and readers for a sent one."""

import json

from pydantic import BaseModel, ConfigDict

from detectors.flow import Platform, Stage
from detectors.normalize.contact_details import ContactDetails


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Customer(_Part):
    """The person to contact. phone_number is E.164, country_code ISO 3166-1 alpha-2, language BCP 47."""

    full_name: str
    phone_number: str
    email: str | None = None
    country_code: str
    language: str | None = None


class AbandonedSession(_Part):
    """The abandoned stage, and when it was abandoned (ISO 8601, UTC, `Z`)."""

    abandonment_timestamp: str
    flow_stage: Stage
    platform: Platform
    session_id: str | None = None


class Item(_Part):
    """One line of the cart."""

    name: str | None = None
    sku: str | None = None
    quantity: int | None = None
    price: int | float | None = None


class Cart(_Part):
    """The cart's contents; amounts are JSON numbers in the given ISO 4217 currency."""

    total_value: int | float | None = None
    currency: str | None = None
    items: tuple[Item, ...] | None = None


class Engagement(_Part):
    """How to contact the person, and why."""

    preferred_channel: str
    reason: str
    metadata: dict[str, object] | None = None


class RecoveryRequest(_Part):
    """The body of `POST …/recovery-payment/external`."""

    customer: Customer
    session: AbandonedSession
    cart: Cart
    engagement: Engagement

    def to_json(self) -> str:
        """Return the exact text to send."""
        return self.model_dump_json(exclude_none=True)


def phone_in(body: str) -> str:
    """Return the phone number of a sent request."""
    return str(json.loads(body)["customer"]["phone_number"])


def email_in(body: str) -> str:
    """Return the e-mail address in a sent request; empty for none."""
    return str(json.loads(body)["customer"].get("email") or "")


def contact_in(body: str) -> ContactDetails:
    """Return the contact details of a sent request."""
    customer = json.loads(body)["customer"]
    return ContactDetails(customer["phone_number"], customer["country_code"], customer.get("email", ""))


def channel_in(body: str) -> str:
    """Return the channel of a sent request."""
    return str(json.loads(body)["engagement"]["preferred_channel"])
