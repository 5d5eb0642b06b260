"""The flags of `winback event emit`, and the event that they describe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, get_type_hints

import typer

from detectors.flow import EventType, Platform, Stage
from detectors.json_values import JsonObject
from worker.errors import StartError

_CUSTOMER = "Customer"
_CART = "Cart and order"
_ENGAGEMENT = "Engagement"
_ITEM_PARTS = 4

Text = str | None


def nested(values: Mapping[str, object]) -> JsonObject:
    """Return `{"cart.items": x}` as `{"cart": {"items": x}}`, without values that are None."""
    result: JsonObject = {}
    for path, value in values.items():
        if value is not None:
            part, _, name = path.rpartition(".")
            (result.setdefault(part, {}) if part else result)[name] = value
    return result


def items(written: list[str] | None) -> list[JsonObject] | None:
    """Read `NAME:SKU:QUANTITY:PRICE`, from the right, because a name can contain colons. Parts can be empty.

    Raises:
        StartError: an item has another form.
    """
    return [_item(text, number) for number, text in enumerate(written, 1)] if written else None


def _item(text: str, number: int) -> JsonObject:
    parts = text.rsplit(":", _ITEM_PARTS - 1)
    try:
        name, sku, quantity, price = parts
        read = {
            "name": name or None,
            "sku": sku or None,
            "quantity": int(quantity) if quantity else None,
            "price": float(price) if price else None,
        }
    except ValueError:
        raise StartError(
            f"--item (number {number}): write NAME:SKU:QUANTITY:PRICE, like Headphones:WH-1000:1:149.99"
        ) from None
    return {key: value for key, value in read.items() if value is not None}


def pairs(written: list[str] | None) -> dict[str, str] | None:
    """Read `KEY=VALUE`.

    Raises:
        StartError: a pair has no key or no equals sign.
    """
    if not written:
        return None
    split = [text.partition("=") for text in written]
    for number, (key, equals, _) in enumerate(split, 1):
        if not key or not equals:
            raise StartError(f"--metadata (number {number}): write KEY=VALUE, like utm_campaign=spring_sale")
    return {key: value for key, _, value in split}


def _both_channels(answer: bool) -> dict[str, bool]:  # noqa: FBT001 - a flag's value
    return {"call": answer, "whatsapp": answer}


def put_currency(flags: JsonObject, currency: str) -> None:
    """Add the currency of the command line to each amount.

    Raises:
        StartError: there is no amount.
    """
    if "cart" not in flags and "order_value" not in flags:
        raise StartError("--currency: needs an amount: --cart-total, --item or --order-value")
    if "cart" in flags:
        flags["cart"]["currency"] = currency
    if "order_value" in flags:
        flags["currency"] = currency


class At(NamedTuple):
    """The field of the event that a flag fills."""

    path: str
    """`customer.email`."""
    read: Callable[..., object] | None = None
    """Converts the flag to the field's value. None: the flag is the value."""


@dataclass(frozen=True, kw_only=True, repr=False)  # a number must not get into a traceback
class EventFlags:
    """The fields of one event, as flags."""

    session: Annotated[
        Text, At("session_id"), typer.Option(help="The id of the cart or checkout, not of a device.")
    ] = None
    event_type: Annotated[
        EventType | None, At("type"), typer.Option("--type", help="The type of event; default: activity.")
    ] = None
    stage: Annotated[
        Stage | None,
        At("flow_stage"),
        typer.Option(help="The stage of the flow; required for an activity."),
    ] = None
    platform: Annotated[
        Platform | None, At("platform"), typer.Option(help="The platform; required for an activity.")
    ] = None
    occurred_at: Annotated[
        Text, At("occurred_at"), typer.Option(help="ISO 8601, 2025-05-13T22:40:00Z; default: on arrival.")
    ] = None
    previous_session: Annotated[
        Text, At("previous_session_id"), typer.Option(help="The session that this one replaces.")
    ] = None
    name: Annotated[Text, At("customer.full_name"), typer.Option(help="Full name.", rich_help_panel=_CUSTOMER)] = None
    phone: Annotated[
        Text,
        At("customer.phone_number"),
        typer.Option(help="+573001234567, or with --country 3001234567.", rich_help_panel=_CUSTOMER),
    ] = None
    email: Annotated[Text, At("customer.email"), typer.Option(rich_help_panel=_CUSTOMER)] = None
    country: Annotated[
        Text, At("customer.country_code"), typer.Option(help="CO, COL or Colombia.", rich_help_panel=_CUSTOMER)
    ] = None
    language: Annotated[
        Text, At("customer.language"), typer.Option(help="es, pt-BR, ...", rich_help_panel=_CUSTOMER)
    ] = None
    consent: Annotated[
        bool | None,
        At("customer.consent", _both_channels),
        typer.Option(help="Allows calls and WhatsApp, or neither.", rich_help_panel=_CUSTOMER),
    ] = None
    item: Annotated[
        list[str] | None,
        At("cart.items", items),
        typer.Option(
            help="An item of the cart; can be repeated.", metavar="NAME:SKU:QUANTITY:PRICE", rich_help_panel=_CART
        ),
    ] = None
    cart_total: Annotated[
        float | None, At("cart.total_value"), typer.Option(help="Value of the cart.", rich_help_panel=_CART)
    ] = None
    empty_cart: Annotated[bool, typer.Option("--empty-cart", help="The cart was emptied.", rich_help_panel=_CART)] = (
        False
    )
    order_value: Annotated[
        float | None, At("order_value"), typer.Option(help="Value of the order.", rich_help_panel=_CART)
    ] = None
    currency: Annotated[Text, typer.Option(help="Currency of all amounts, ISO 4217: COP.", rich_help_panel=_CART)] = (
        None
    )
    expires_at: Annotated[
        Text,
        At("expires_at"),
        typer.Option(help="Time until which a pending payment can be made; ISO 8601.", rich_help_panel=_CART),
    ] = None
    channel: Annotated[
        Literal["call", "whatsapp", "auto"] | None,
        At("engagement.preferred_channel"),
        typer.Option(help="The preferred channel.", rich_help_panel=_ENGAGEMENT),
    ] = None
    reason: Annotated[
        Text,
        At("engagement.reason"),
        typer.Option(help="A reason that replaces Winback's own.", rich_help_panel=_ENGAGEMENT),
    ] = None
    metadata: Annotated[
        list[str] | None,
        At("engagement.metadata", pairs),
        typer.Option(help="An extra field; can be repeated.", metavar="KEY=VALUE", rich_help_panel=_ENGAGEMENT),
    ] = None

    def event(self) -> JsonObject:
        """Return the event; empty if no flag was given.

        Raises:
            StartError: a flag can't be read, or two don't go together.
        """
        if self.empty_cart and self.item:
            raise StartError("--empty-cart: leave it out, or leave out --item")
        values: dict[str, object] = {"cart.items": []} if self.empty_cart else {}
        for name, at in _FIELDS.items():
            value = getattr(self, name)
            if value is not None and value != []:
                values[at.path] = at.read(value) if at.read else value
        event = nested(values)
        if self.currency is not None:
            put_currency(event, self.currency)
        return event


_FIELDS = {
    name: at
    for name, hint in get_type_hints(EventFlags, include_extras=True).items()
    for at in getattr(hint, "__metadata__", ())
    if isinstance(at, At)
}
"""By name of the flag: its field of the event."""
