"""Reads the results of `winback tune --json` from a file."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from detectors.json_values import JsonObject
from worker.errors import StartError
from worker.logs.masking import one_line

_MOST_BYTES = 16 * 1024 * 1024

Seconds = Annotated[FiniteFloat, Field(gt=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class _Asked(BaseModel):
    outcome: Literal["return", "order"]
    target: Share
    horizon: Seconds = Field(alias="horizon_seconds")


class _Current(BaseModel):
    threshold: Seconds = Field(alias="threshold_seconds")
    share: Share | None


class _Point(BaseModel):
    threshold: Seconds = Field(alias="threshold_seconds")
    contacts: int
    share: Share | None
    low: Share | None
    high: Share | None


class _Stage(BaseModel):
    stage: str
    platform: str | None
    threshold: Seconds | None = Field(alias="threshold_seconds")
    share: Share | None
    current: _Current
    curve: list[_Point]


class _Tuned(BaseModel):
    command: Literal["tune"]
    version: Literal[1]
    asked: _Asked
    stages: list[_Stage]


def read_tuned(name: str) -> JsonObject:
    """Return the parts of the document that the report's page shows.

    Raises:
        StartError: The file can't be read, or isn't a document of `winback tune --json`.
    """
    shown = one_line(name)
    try:
        with Path(name).open("rb") as file:
            content = file.read(_MOST_BYTES)
    except OSError as problem:
        raise StartError(f"--tune {shown}: can't be read: {(problem.strerror or 'unknown').lower()}") from None
    try:
        found: JsonObject = _Tuned.model_validate_json(content).model_dump(by_alias=True)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        why = f" ({place}: {first['msg']})" if place else ""
        raise StartError(f"--tune {shown}: isn't a result of winback tune --json{why}") from None
    return found
