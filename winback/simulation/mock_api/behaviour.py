"""How the stand-in for Yuno's API can be told to misbehave, at its start and while it runs."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from detectors.durations import Duration, OptionalDuration, within

_HEADER_VALUE = r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$"
HEADER_FORM = "printable ASCII in one line, without spaces at its ends"
"""What a header's value may be, for people."""


def _statuses(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return [value] if isinstance(value, int) else value


def _trimmed(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


Status = Annotated[int, Field(ge=200, le=599)]
Key = Annotated[str | None, BeforeValidator(_trimmed)]


class Knobs(BaseModel):
    """Everything that can be turned while the stand-in runs. The defaults behave as documented by Yuno.

    Attributes:
        status: Answered in turn, over and over: `500`, `[500, 200]` or `"500,500,200"`. A 2xx takes the request as
            usual and answers with that status; anything else answers so whatever was asked, and takes nothing.
        delay: Passes between taking a request and answering it.
        drop: `before` hangs up without taking the request, `after` takes it and then hangs up without an answer.
        retry_after: Sent as it is with every 429 and 503.
        body: Replaces the body of what `status` answers, and of every request that is taken.
        times: So many requests are treated by the five knobs above, later ones as if they were not set.
        idempotency: Whether a repeated key gets the first answer again, as Yuno documents for its API in general.
        idempotency_window: How long a key is remembered.
        validation: Whether headers and body are held against the contract.
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
    """A stand-in as it is started.

    Attributes:
        public_api_key: With `private_secret_key`, the pair that requests must carry. Without, any pair will do.
        private_secret_key: See `public_api_key`.
        store: Every request is appended here as one JSON line, with its body: a file of personal data, mode 0600.
        quiet: Print no line per request.
        json_lines: Print those lines as JSON.
        keep: So many of the latest requests are kept in memory for `GET /_requests`.
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
        """What can be turned while running, as it was at the start."""
        return Knobs.model_validate({name: getattr(self, name) for name in Knobs.model_fields})


class Behaviour:
    """The knobs in force, and how far a row of statuses has come."""

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
        """Set the given knobs, and all others as they were at the start.

        Raises:
            ValidationError: A knob is unknown, or its value makes no sense; nothing was changed.
        """
        self._set(Knobs.model_validate({**self._start.model_dump(), **changes}))

    def next(self) -> tuple[Knobs, int | None]:
        """Return the knobs for one more request, and the status it is to be answered with, if one was set."""
        if self.knobs.times is not None and self._turns >= self.knobs.times:
            return self._after, None
        statuses = self.knobs.status
        status = statuses[self._turns % len(statuses)] if statuses else None
        self._turns += 1
        return self.knobs, status
