"""The `[collect]` section of the settings."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from detectors.durations import Duration, within
from storefronts.options import Options
from tasks.delivery.settings import Count
from tasks.policy.setting_fields import read_list
from worker.collector.source_settings import Consent, Pages, source_options

SHORTEST_KEY = 8
MB = 1024 * 1024


def _read_secrets(value: object) -> object:
    """Read a list of secrets. One secret in place of a list is a list of one."""
    found = read_list(value)
    if not isinstance(found, list | tuple):
        raise ValueError("is not a list of secrets: write the first,the second")  # noqa: TRY004 - pydantic's
    secrets = [item.get_secret_value() if isinstance(item, SecretStr) else item for item in found]
    for number, secret in enumerate(secrets, 1):
        if not isinstance(secret, str) or len(secret.strip()) < SHORTEST_KEY:
            raise ValueError(f"number {number} has fewer than {SHORTEST_KEY} characters")
    return [SecretStr(str(secret).strip()) for secret in secrets]


def _read_shops(value: object) -> object:
    """Read shop → list of secrets, from a table or from JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError('is not JSON: write {"shop-a": ["secret"]}') from None
    if not isinstance(value, Mapping):
        raise ValueError('is not a table of shops: write {"shop-a": ["secret"]}')  # noqa: TRY004 - pydantic's
    for shop in value:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", str(shop)):
            raise ValueError(f"{shop!r} is no name of a shop: it is part of a URL, so write a-z, 0-9, - and .")
    return dict(value)


Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_read_secrets)]
Shops = Annotated[dict[str, Secrets], BeforeValidator(_read_shops)]


class CollectSettings(BaseModel):
    """The `[collect]` section.

    Attributes:
        address: The address to listen on.
        port: The port.
        server_keys: Write keys that only the shop's servers have. They can report everything.
        public_keys: Write keys that are in web pages and apps. They can't report what only starts a contact.
        shopify: Shop → secrets of its webhooks.
        woocommerce: Shop → secrets of its webhooks.
        yuno_secrets: Secrets of Yuno's webhooks.
        segment_secrets: Secrets of Segment's webhook destination.
        standard_webhooks_secrets: Secrets of Standard Webhooks.
        consent: Source → the fields of its bodies that mean consent.
        payment_step: The number of the checkout's step that takes the payment; None: it isn't known by its number.
        checkout_paths: Beginnings of the paths of the checkout's pages.
        body_limit_mb: The largest body, also after inflation; a public key can send an eighth of it.
        rate_per_key: Events a second that one public key can send.
        rate_per_address: Events a second that one address can send with public or unknown keys.
        trusted_proxies: Proxies whose `X-Forwarded-For` is believed.
        spool: Where events are kept while Redis takes none.
        spool_limit_mb: The most that is kept there.
        missing_after: How long silence isn't measured after a collector disappeared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    address: str = "127.0.0.1"
    port: Count = Field(default=8330, ge=1, le=65535)
    server_keys: Secrets = ()
    public_keys: Secrets = ()
    shopify: Shops = Field(default_factory=dict)
    woocommerce: Shops = Field(default_factory=dict)
    yuno_secrets: Secrets = ()
    segment_secrets: Secrets = ()
    standard_webhooks_secrets: Secrets = ()
    consent: Consent = Field(default_factory=dict)
    payment_step: Count | None = Field(default=None, ge=1, le=100)
    checkout_paths: Pages = ()
    body_limit_mb: Count = Field(default=4, ge=1, le=64)
    rate_per_key: Count = Field(default=1000, ge=1, le=1_000_000)
    rate_per_address: Count = Field(default=50, ge=1, le=1_000_000)
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(read_list)] = ()
    spool: Path = Path("var/collector")
    spool_limit_mb: Count = Field(default=512, ge=1, le=1_000_000)
    missing_after: Annotated[Duration, within("10s", "24h")] = timedelta(minutes=15)

    @property
    def is_on(self) -> bool:
        """Whether any key or secret is set: `winback up` then starts the collector."""
        return any(
            (
                self.server_keys,
                self.public_keys,
                self.shopify,
                self.woocommerce,
                self.yuno_secrets,
                self.segment_secrets,
                self.standard_webhooks_secrets,
            )
        )

    @property
    def shops(self) -> list[str]:
        """The shops, if there are several. Ids of carts, checkouts and orders count within a shop then."""
        shops = sorted({*self.shopify, *self.woocommerce})
        return shops if len(shops) > 1 else []

    def options(self, source: str) -> Options:
        """Return what the settings say about a source, by its name in `storefronts.registry`."""
        return source_options(
            source, consent=self.consent, payment_step=self.payment_step, checkout_paths=self.checkout_paths
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for text in proxies:
            try:
                ip_network(text)
            except ValueError:
                raise ValueError(f"{text!r} is neither an address nor a network: write 10.0.0.0/8") from None
        return proxies

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        if not re.fullmatch(r"[0-9A-Za-z.:_-]+", address):
            raise ValueError("is not an address to listen on: write 127.0.0.1, ::1 or a host name")
        return address
