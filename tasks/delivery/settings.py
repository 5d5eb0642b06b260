"""The settings of delivery and of the contact policy."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from detectors.durations import Duration, format_duration, within
from tasks.delivery.addresses import address_block_reason, is_loopback
from tasks.delivery.rate import OptionalRate, Rate

DEFAULT_ENDPOINT = "https://prod.y.uno/ai-caller-ms/recovery-payment/external"


def _read_key(value: object) -> object:
    """Return a key without white space from pasting: a stray line break would cause an unexplained 401.

    Raises:
        ValueError: It holds a character that no HTTP header can carry. The message doesn't contain the key.
    """
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        return value
    key = "".join(text.split())
    if strange := next((at for at, char in enumerate(key, 1) if not "!" <= char <= "~"), 0):
        raise ValueError(f"holds a character at position {strange} that no key has: copy it again")
    return key or None


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is not a whole number")  # noqa: TRY004 - pydantic only collects ValueErrors
    return value


Count = Annotated[int, BeforeValidator(_refuse_bool)]
"""A whole number. Pydantic's own check reads `true` as 1."""


def _read_off(value: object) -> object:
    return None if isinstance(value, str) and value.strip() == "off" else _refuse_bool(value)


def _write_off(value: int | None) -> int | str:
    return "off" if value is None else value


_OR_OFF = BeforeValidator(_read_off), PlainSerializer(_write_off, when_used="json")

ApiKey = Annotated[SecretStr | None, BeforeValidator(_read_key)]


def _read_endpoint(value: str, *, private: bool) -> str:
    if value == DEFAULT_ENDPOINT:
        return value
    import httpx

    try:
        # The client's own parser decides, so that the checked URL is the one that is called.
        url = httpx.URL(value)
    except httpx.InvalidURL:
        url = httpx.URL()
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value or not url.host:
        raise ValueError(f"is not a URL: write it like {DEFAULT_ENDPOINT}")
    if url.userinfo:
        raise ValueError("holds a user name or password: the keys have their own settings, delivery.public_api_key ...")
    if "#" in value:
        raise ValueError("has a fragment: remove the # and the rest")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise ValueError("must begin with https:// (plain http:// is only for localhost, 127.0.0.0/8 and [::1])")
    if kind := _kind_of_literal(url.host, private=private):
        raise ValueError(f"leads to a {kind} address, where nothing is sent; see delivery.allow_private_endpoint")
    return value


def _kind_of_literal(host: str, *, private: bool) -> str | None:
    """Return why a literal address isn't allowed as a host; a name is checked each time it is resolved."""
    try:
        return address_block_reason(host, loopback=is_loopback(host), private=private)
    except ValueError:
        return None


class DeliverySettings(BaseModel):
    """The `[delivery]` section: how the request reaches Yuno.

    Attributes:
        mode: `shadow` does everything but the request; `live` sends it.
        allow_private_endpoint: Whether the endpoint can have a private address; metadata services never can.
        endpoint: The full address of the operation. HTTPS, or plain HTTP for loopback hosts.
        public_api_key: Header `public-api-key`; only needed in live mode.
        private_secret_key: Header `private-secret-key`; only needed in live mode.
        timeout: The deadline of one whole attempt: connecting, sending and reading together.
        lease_margin: Added to twice `timeout` to give the lease.
        backoff_base: The longest wait before the first retry; it doubles for each further one.
        backoff_cap: The longest wait before any retry.
        max_attempts: Attempts before an outreach ends as `dead`.
        on_unknown: The reaction if it is unknown whether a request arrived: `park` it for an operator, or `retry` with
            the same key for at most 24 h.
        in_flight: How many outreaches can be leased at a time; None: 4 for each of the worker's slots.
        dispatch_interval: How often due outreaches are dispatched to the workers.
        rate: Requests of all workers together; None: no limit.
        max_per_day: Contacts of all workers together within a day (UTC); None: no limit.
        breaker_failures: How many failed requests in a row stop sending; None: never.
        breaker_pause: How long it then stops before a probe; doubled after each failed probe. If the keys are refused,
            probes follow at this interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Literal["shadow", "live"] = "shadow"
    # Before the endpoint, whose check needs it.
    allow_private_endpoint: bool = False
    endpoint: str = DEFAULT_ENDPOINT
    public_api_key: ApiKey = None
    private_secret_key: ApiKey = None
    timeout: Annotated[Duration, within("1ms", "5m")] = timedelta(seconds=30)
    lease_margin: Annotated[Duration, within("1s", "10m")] = timedelta(seconds=10)
    backoff_base: Annotated[Duration, within("1ms", "24h")] = timedelta(seconds=5)
    backoff_cap: Annotated[Duration, within("1ms", "24h")] = Field(default=timedelta(minutes=15), validate_default=True)
    max_attempts: Count = Field(default=8, ge=1, le=100)
    on_unknown: Literal["park", "retry"] = "park"
    in_flight: Count | None = Field(default=None, ge=1, le=100_000)
    dispatch_interval: Annotated[Duration, within("50ms", "1m")] = timedelta(milliseconds=250)
    rate: OptionalRate = Rate(10, "s")
    max_per_day: Annotated[Annotated[int, Field(ge=1, le=10_000_000)] | None, *_OR_OFF] = None
    breaker_failures: Annotated[Annotated[int, Field(ge=1, le=10_000)] | None, *_OR_OFF] = 10
    breaker_pause: Annotated[Duration, within("1ms", "1h")] = timedelta(minutes=1)

    @property
    def rehearses(self) -> bool:
        """Whether requests can only reach this machine, so that no person can be called."""
        if self.endpoint == DEFAULT_ENDPOINT:
            return False
        import httpx

        return is_loopback(httpx.URL(self.endpoint).host)

    @property
    def lease(self) -> timedelta:
        """How long a leased outreach belongs to its worker.

        Twice the attempt's deadline and the margin, so that no other worker takes an outreach whose request might be in
        flight.
        """
        return 2 * self.timeout + self.lease_margin

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_safe(cls, value: str, info: ValidationInfo) -> str:
        return _read_endpoint(value.strip(), private=info.data.get("allow_private_endpoint", False))

    @field_validator("backoff_cap")
    @classmethod
    def _cap_is_above_base(cls, cap: timedelta, info: ValidationInfo) -> timedelta:
        base: timedelta | None = info.data.get("backoff_base")
        if base is not None and cap < base:
            raise ValueError(f"must not be below delivery.backoff_base ({format_duration(base)})")
        return cap
