"""The `[record]` section of the settings."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from detectors.durations import Duration, within
from tasks.delivery.settings import Count


class RecordSettings(BaseModel):
    """The `[record]` section.

    Attributes:
        directory: Where recordings are written; None: nowhere.
        rotate_after: The time that one file covers.
        limit_mb: The size of all files. The oldest are removed first.
        keep: How long files are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    directory: Path | None = None
    rotate_after: Annotated[Duration, within("1m", "31d")] = timedelta(days=1)
    limit_mb: Count = Field(default=1024, ge=10, le=1_000_000)
    keep: Annotated[Duration, within("1d", "730d")] = timedelta(days=90)
