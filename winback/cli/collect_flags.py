"""The flags of `winback collect check`: the request, and the settings of its source."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, get_args

import typer

from storefronts.clock import moment
from storefronts.delivery import Delivery, header_map
from storefronts.options import Channel, Options
from worker.errors import StartError

_REQUEST = "Request"
_SETTINGS = "Settings"


@dataclass(frozen=True, slots=True)
class RequestFlags:
    """A request without its body."""

    topic: Annotated[
        str,
        typer.Option(
            metavar="TOPIC", help="The webhook's topic, such as orders/paid (Shopify).", rich_help_panel=_REQUEST
        ),
    ] = ""
    path: Annotated[
        str,
        typer.Option(metavar="PATH", help="The path, such as /v1/track (Segment).", rich_help_panel=_REQUEST),
    ] = ""
    shop: Annotated[
        str, typer.Option(metavar="SHOP", help="The shop's name in the path.", rich_help_panel=_REQUEST)
    ] = ""
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME:VALUE", help="A header. Repeat it.", rich_help_panel=_REQUEST)
    ] = None
    key: Annotated[
        Literal["server", "public"],
        typer.Option(help="The class of the write key, if the request isn't signed.", rich_help_panel=_REQUEST),
    ] = "server"

    received: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="When it arrived, in ISO 8601; now without it.", rich_help_panel=_REQUEST),
    ] = None

    def delivery(self, body: bytes, now: datetime) -> Delivery:
        """Return the request.

        Raises:
            StartError: a header or the moment is something else.
        """
        received = now if self.received is None else moment(self.received)
        if received is None:
            raise StartError(f"collect check: --received {self.received!r} must be like 2026-11-22T16:40:00Z")
        pairs = [one.partition(":") for one in self.header or ()]
        wrong = next((name for name, colon, _ in pairs if not colon), None)
        if wrong is not None:
            raise StartError(f"collect check: --header {wrong!r} has no colon; write it as NAME:VALUE")
        topics = [(name, self.topic) for name in ("X-Shopify-Topic", "X-WC-Webhook-Topic") if self.topic]
        headers = header_map([*topics, *((name.strip(), value.strip()) for name, _, value in pairs)])
        return Delivery(body, received, headers, shop=self.shop, route=self.path)


@dataclass(frozen=True, slots=True)
class SourceFlags:
    """Settings of a source, in place of those of `[collect]`."""

    consent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL=FIELD", help="The field that means consent. Repeat it.", rich_help_panel=_SETTINGS
        ),
    ] = None
    payment_step: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="The step of the checkout that takes the payment.", rich_help_panel=_SETTINGS
        ),
    ] = None
    checkout_path: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="The beginning of the checkout's paths. Repeat it.", rich_help_panel=_SETTINGS
        ),
    ] = None

    def options(self, settings: Options) -> Options:
        """Return the settings, with those of the flags in their place.

        Raises:
            StartError: a consent is something else.
        """
        found: dict[Channel, str] = {**settings.consent}
        for one in self.consent or ():
            name, _, field = one.partition("=")
            channel = next((known for known in get_args(Channel) if known == name.strip()), None)
            if channel is None or not field.strip():
                raise StartError(f"collect check: --consent {one!r} must be call=FIELD or whatsapp=FIELD")
            found[channel] = field.strip()
        step = settings.payment_step if self.payment_step is None else self.payment_step
        return Options(found, step, tuple(self.checkout_path or settings.checkout_paths))
