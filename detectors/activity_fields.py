"""Types that several parts of an event share: ids, text, moments, amounts."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from detectors.normalize import moments
from detectors.normalize.session_ids import is_placeholder, is_plain_id
from detectors.normalize.text import MAX_TEXT

MAX_SESSION_ID = 512
_FIRST_YEAR = 2000
"""Systems write earlier times, such as 0001-01-01 or 1970-01-01, for no time."""
_ID_SCHEMA = {"anyOf": [{"type": "string", "pattern": r"\S", "maxLength": MAX_SESSION_ID}, {"type": "integer"}]}


def _no_placeholder(text: str) -> str:
    if not is_plain_id(text) and is_placeholder(text):
        raise ValueError("is a placeholder: give each cart its own id")
    return text


SessionId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_SESSION_ID, strip_whitespace=True),
    AfterValidator(_no_placeholder),
    WithJsonSchema(_ID_SCHEMA),
]
"""Any text, unchanged. detectors.reading turns a whole number into its digits."""
SESSION_ID_FORM = f"text of 1 to {MAX_SESSION_ID} characters, or a whole number; no placeholder such as undefined or 0"
"""The form of a session_id, for messages."""
_SOURCE = re.compile(r"[a-z][a-z0-9_-]{0,31}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,127})?")
"""Such as `yuno` or `shopify/shop-a`. No phone number and no e-mail address is one."""
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT, strip_whitespace=True)]


def _source(value: object) -> str | None:
    """Return the name of a source; None for anything else, which costs nothing: it is only shown."""
    return value if isinstance(value, str) and _SOURCE.fullmatch(value) else None


def _moment(value: object) -> datetime | None:
    if type(value) is str and value[10:11] == "T":
        # The usual form, read fast: see moments.iso.
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    return _read(value, moments.moment)


def _expiry(value: object) -> datetime | None:
    found = _read(value, moments.expiry)
    if found is not None and found.year < _FIRST_YEAR:
        # Read as an expiry that has passed, it would end the hold of a payment that is in progress.
        raise PydanticCustomError("moment", "is before 2000: leave expires_at out if the payment has no expiry")
    return found


def _read(value: object, reader: Callable[[object], datetime | None]) -> datetime | None:
    if value is None:
        return None
    found = reader(value)
    if found is None:
        # With ValueError, pydantic would quote the value.
        raise PydanticCustomError("moment", moments.ADVICE)
    return found


SourceName = Annotated[str | None, BeforeValidator(_source)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Expiry = Annotated[datetime | None, BeforeValidator(_expiry)]
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False, strict=True)]
Price = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False, strict=True)]
