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
    """Drop what a paste brings along: no key holds white space, and a stray line break is a 401 that explains nothing.

    Raises:
        ValueError: A character is left that no HTTP header can carry. The message does not hold the key.
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
        raise ValueError("is not a whole number")  # noqa: TRY004 - pydantic collects ValueErrors alone
    return value


Count = Annotated[int, BeforeValidator(_refuse_bool)]
"""A whole number. pydantic alone would read `true` as 1."""


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
        # The client's own parser decides, so that what was checked is what is called.
        url = httpx.URL(value)
    except httpx.InvalidURL:
        url = httpx.URL()
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value or not url.host:
        raise ValueError(f"is not a URL: write it like {DEFAULT_ENDPOINT}")
    if url.userinfo:
        raise ValueError(
            "holds a user name or password: the keys are settings of their own, delivery.public_api_key ..."
        )
    if "#" in value:
        raise ValueError("has a fragment: leave out the # and what follows")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise ValueError("must begin with https:// (plain http:// is for localhost, 127.0.0.0/8 and [::1] alone)")
    if kind := _kind_of_literal(url.host, private=private):
        raise ValueError(f"leads to a {kind} address, where nothing is sent; see delivery.allow_private_endpoint")
    return value


def _kind_of_literal(host: str, *, private: bool) -> str | None:
    """Say what is wrong with a host that is an address already; of a name, what it resolves to decides each time."""
    try:
        return address_block_reason(host, loopback=is_loopback(host), private=private)
    except ValueError:
        return None


class DeliverySettings(BaseModel):
    """The `[delivery]` section: how the request reaches Yuno.

    Attributes:
        mode: `shadow` does everything but the request; `live` sends it.
        allow_private_endpoint: Whether the endpoint may have a private address; metadata services never count.
        endpoint: The whole address of the operation. HTTPS, or plain HTTP for loopback hosts.
        public_api_key: Header `public-api-key`; needed in live mode only.
        private_secret_key: Header `private-secret-key`; needed in live mode only.
        timeout: The deadline of one whole attempt: connecting, sending and reading together.
        lease_margin: How much longer than an attempt can last a leased outreach belongs to its worker.
        backoff_base: The first retry waits up to this long; each further one up to twice as long.
        backoff_cap: No retry waits longer.
        max_attempts: Attempts in all before an outreach ends as `dead`.
        on_unknown: What to do when nobody can say whether a request arrived: `park` it for a person, or `retry`
            with the same key for at most 24 h.
        in_flight: How many outreaches may be leased at a time; None: 4 for each of the worker's slots.
        dispatch_interval: How often what is due is handed to the workers.
        rate: Requests of all workers together; None: as many as they can.
        max_per_day: Contacts of all workers together within a day (UTC); None: no limit.
        breaker_failures: After so many requests in a row that failed, sending stops; None: never.
        breaker_pause: How long it then stops before one is tried; doubled each time that fails, too. When the keys are
            refused, one is tried each time this has passed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Literal["shadow", "live"] = "shadow"
    # Before the endpoint, whose check asks for it.
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
        """Whether requests can only reach this machine, so that nobody can be called."""
        if self.endpoint == DEFAULT_ENDPOINT:
            return False
        import httpx

        return is_loopback(httpx.URL(self.endpoint).host)

    @property
    def lease(self) -> timedelta:
        """How long a leased outreach belongs to its worker.

        Twice the attempt's deadline and the margin: nobody else takes an outreach whose request may still be under way.
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
