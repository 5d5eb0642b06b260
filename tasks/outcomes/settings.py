"""The `[outcomes]` section of the settings."""

import base64
import binascii
from datetime import timedelta
from typing import Annotated, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from detectors.durations import Duration, format_duration, within
from tasks.delivery.addresses import address_block_reason, is_loopback
from tasks.delivery.settings import Count
from tasks.outcomes.names import OutcomeName
from tasks.policy.setting_fields import read_list

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret; Standard Webhooks, "Symmetric key size"."""


def key_of(secret: SecretStr) -> bytes:
    """Return the bytes of a webhook secret.

    Raises:
        ValueError: It isn't Base64 of 24 to 64 bytes. The message doesn't hold the secret.
    """
    try:
        key = base64.b64decode(secret.get_secret_value().strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"is not {PREFIX} and Base64 of {_SHORTEST} to {_LONGEST} bytes: openssl rand -base64 32")
    return key


def _read_secrets(value: object) -> object:
    found = read_list(value)
    if not isinstance(found, list | tuple):
        raise ValueError("is not a list of secrets: write the first,the second")  # noqa: TRY004 - pydantic's
    secrets = [item if isinstance(item, SecretStr) else SecretStr(str(item)) for item in found]
    for number, secret in enumerate(secrets, 1):
        try:
            key_of(secret)
        except ValueError as exc:
            raise ValueError(f"number {number} {exc}") from None
    return secrets


def _read_url(value: str, *, private: bool) -> str:
    import httpx

    try:
        # The client's own parser decides, so that the checked URL is the one that is called.
        url = httpx.URL(value)
    except httpx.InvalidURL:
        url = httpx.URL()
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value or not url.host:
        raise ValueError("is not a URL: write it like https://shop.example/winback")
    if url.userinfo or "#" in value:
        raise ValueError("has a user name, a password or a fragment: remove it; signatures prove the sender")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise ValueError("must begin with https:// (plain http:// is only for localhost, 127.0.0.0/8 and [::1])")
    try:
        kind = address_block_reason(url.host, loopback=is_loopback(url.host), private=private)
    except ValueError:
        kind = None  # a name, which is checked each time it is resolved
    if kind:
        raise ValueError(f"leads to a {kind} address, where nothing is sent; see outcomes.allow_private_webhook")
    return value


class OutcomeSettings(BaseModel):
    """The `[outcomes]` section.

    Attributes:
        max_length: About how many entries the feed keeps.
        retention: How long it keeps them.
        allow_private_webhook: Whether the webhook can have a private address; metadata services never can.
        webhook_url: Where outcomes are posted; None: nowhere.
        webhook_secrets: Each of them signs every request.
        webhook_timeout: The deadline of one whole request.
        webhook_max_age: An outcome that couldn't be delivered for this long is dropped.
        types: The outcomes that are posted. The feed has all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    max_length: Count = Field(default=100_000, ge=1000, le=10_000_000)
    retention: Annotated[Duration, within("1h", "30d")] = timedelta(days=7)
    # Before the URL, whose check needs it.
    allow_private_webhook: bool = False
    webhook_url: str | None = Field(default=None, repr=False)
    webhook_secrets: Annotated[tuple[SecretStr, ...], BeforeValidator(_read_secrets)] = ()
    webhook_timeout: Annotated[Duration, within("100ms", "1m")] = timedelta(seconds=10)
    webhook_max_age: Annotated[Duration, within("1m", "30d")] = Field(default=timedelta(days=3), validate_default=True)
    types: Annotated[tuple[OutcomeName, ...], BeforeValidator(read_list)] = get_args(OutcomeName)

    @field_validator("webhook_url")
    @classmethod
    def _url_is_safe(cls, url: str | None, info: ValidationInfo) -> str | None:
        return _read_url(url.strip(), private=info.data.get("allow_private_webhook", False)) if url else None

    @field_validator("webhook_max_age")
    @classmethod
    def _entries_live_for_longer(cls, age: timedelta, info: ValidationInfo) -> timedelta:
        kept: timedelta | None = info.data.get("retention")
        if kept is not None and age > kept:
            raise ValueError(f"must not be above outcomes.retention ({format_duration(kept)})")
        return age
