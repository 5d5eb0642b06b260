"""The settings of the mock of Yuno's API: how it misbehaves, at its start and while it runs."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from detectors.durations import Duration, OptionalDuration, within

_HEADER_VALUE = r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$"
HEADER_FORM = "printable ASCII in one line, without spaces at its ends"
"""The format of a header's value, in words."""


def _statuses(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return [value] if isinstance(value, int) else value


def _trimmed(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


Status = Annotated[int, Field(ge=200, le=599)]
Key = Annotated[str | None, BeforeValidator(_trimmed)]


class Knobs(BaseModel):
    """All settings that can be changed while the mock runs. By default it behaves as documented by Yuno.

    Attributes:
        status: Returned in rotation: `500`, `[500, 200]` or `"500,500,200"`. With a 2xx, the request is accepted as
            usual and gets this status. Any other status is returned for every request, and none is accepted.
        delay: Time between receiving a request and replying to it.
        drop: `before` closes the connection without accepting the request. `after` accepts it and then closes the
            connection without a reply.
        retry_after: Sent unchanged with every 429 and 503.
        body: Replaces the body of replies by `status`, and of the reply to every accepted request.
        times: The five knobs above apply to this number of requests; later ones are treated as if they weren't set.
        idempotency: Whether a repeated key gets the first reply again, as Yuno documents for its API in general.
        idempotency_window: How long a key is remembered.
        validation: Whether headers and body are checked against the contract.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Annotated[tuple[Status, ...], BeforeValidator(_statuses)] = ()
    delay: Annotated[OptionalDuration, within("1ms", "1h")] = None
    drop: Literal["before", "after"] | None = None
    retry_after: Annotated[str, Field(pattern=_HEADER_VALUE)] | None = None
    body: str | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    idempotency: bool = True
    idempotency_window: Annotated[Duration, within("1ms", "24h")] = timedelta(hours=24)
    validation: bool = True


class MockConfig(Knobs):
    """The settings of a mock at its start.

    Attributes:
        public_api_key: With `private_secret_key`, the pair that requests must carry. If unset, any pair is accepted.
        private_secret_key: See `public_api_key`.
        store: Every request is appended to this file as one JSON line, with its body. It is a file of personal data,
            mode 0600.
        quiet: Print no line per request.
        json_lines: Print those lines as JSON.
        keep: The number of latest requests kept in memory for `GET /_requests`.
    """

    public_api_key: Key = Field(default=None, repr=False)
    private_secret_key: Key = Field(default=None, repr=False)
    store: Path | None = None
    quiet: bool = False
    json_lines: bool = False
    keep: Annotated[int, Field(ge=0)] = 50_000

    @model_validator(mode="after")
    def _both_keys_or_none(self) -> Self:
        if (self.public_api_key is None) != (self.private_secret_key is None):
            raise ValueError("give both keys or neither")
        return self

    @property
    def knobs(self) -> Knobs:
        """Return the knobs as they were at the start."""
        return Knobs.model_validate({name: getattr(self, name) for name in Knobs.model_fields})


class Behaviour:
    """The knobs in force, and the position in a rotation of statuses."""

    def __init__(self, start: Knobs) -> None:
        self._start = start
        self._set(start)

    def _set(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self._after = Knobs(
            idempotency=knobs.idempotency, idempotency_window=knobs.idempotency_window, validation=knobs.validation
        )
        self._turns = 0

    def apply_changes(self, changes: Mapping[str, object]) -> None:
        """Set the given knobs, and reset all others to their values at the start.

        Raises:
            ValidationError: A knob is unknown, or its value is invalid. Nothing was changed.
        """
        self._set(Knobs.model_validate({**self._start.model_dump(), **changes}))

    def next(self) -> tuple[Knobs, int | None]:
        """Return the knobs for the next request, and the status for its reply, if one is set."""
        if self.knobs.times is not None and self._turns >= self.knobs.times:
            return self._after, None
        statuses = self.knobs.status
        status = statuses[self._turns % len(statuses)] if statuses else None
        self._turns += 1
        return self.knobs, status
