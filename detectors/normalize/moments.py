"""Moments in time as shops write them. Pure: no clock is read."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = 10
_UNITS_PER_SECOND = (1, 1_000, 1_000_000, 1_000_000_000)
"""Unix time comes in s, ms, µs or ns. Its size shows the unit, because these ranges don't overlap."""
_FIRST_S, _LAST_S = 946_684_800, 4_102_444_800  # the years 2000 to 2099
_NUMBER = re.compile(r"[0-9]{9,19}(?:\.[0-9]{1,9})?")
_BASIC = re.compile(r"[0-9]{8}T[0-9]{4}(?:[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?")
_DATE_ALONE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO = re.compile(
    r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[Tt]|\s+)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"\s*(Z|z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?)?(?:\s*(?:UTC|GMT|\[[\w/+-]+\]))?"
)
_RFC_2822 = re.compile(
    r"(?:[A-Za-z]{3},? )?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? (?:GMT|UTC|UT|Z|[+-][0-9]{4})"
)
_JAVASCRIPT = re.compile(
    r"[A-Za-z]{3} ([A-Za-z]{3} [0-9]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}) GMT([+-][0-9]{4})(?: \(.*\))?"
)
_END_OF_DAY_ANYWHERE = timedelta(days=1, hours=12)  # in the last zone, UTC-12
ADVICE = "must be a moment in ISO 8601, like 2026-11-22T16:40:00Z"


def iso(text: str) -> datetime:
    """Return a moment in the usual form of ISO 8601, fast: 2026-11-22T16:40:00Z.

    `T` or a space, with any offset or none.

    Raises:
        ValueError: It has another form. `datetime.fromisoformat` accepts any separator between date and time, even a
            digit, and reads 20261126103000Z as another hour (python/cpython#107779).
    """
    if text[_DATE : _DATE + 1] in {"T", " "}:
        return datetime.fromisoformat(text)
    raise ValueError(ADVICE)


def moment(value: object) -> datetime | None:
    """Return the moment that a value states; None if it states none or has two readings.

    Accepts ISO 8601 with usual deviations, Unix time (in s, ms, µs or ns, as a number or a text), RFC 2822 and
    JavaScript's `Date`. A moment without a zone stays without one. A date without a time, or a run of digits, isn't a
    moment.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _unix(value)
    if isinstance(value, datetime):
        return value
    return _written(value.strip()) if isinstance(value, str) else None


def expiry(value: object) -> datetime | None:
    """Return the end of a validity. A date without a time is valid until that day has ended in every time zone."""
    if isinstance(value, str) and _DATE_ALONE.fullmatch(value.strip()):
        try:
            return datetime.fromisoformat(value.strip()).replace(tzinfo=UTC) + _END_OF_DAY_ANYWHERE
        except (ValueError, OverflowError):
            return None
    return moment(value)


def _written(text: str) -> datetime | None:
    try:
        return iso(text)
    except ValueError:
        pass
    if _NUMBER.fullmatch(text):
        return _unix(float(text) if "." in text else int(text))
    try:
        return _other_form(text)
    except (ValueError, TypeError, OverflowError):
        return None


def _other_form(text: str) -> datetime | None:
    if found := _ISO.fullmatch(text):
        return _iso_parts(found)
    if _BASIC.fullmatch(text):
        return datetime.fromisoformat(text)
    if _RFC_2822.fullmatch(text):
        return parsedate_to_datetime(text)
    if found := _JAVASCRIPT.fullmatch(text):
        return datetime.strptime(f"{found[1]} {found[2]}", "%b %d %Y %H:%M:%S %z")
    return None


def _iso_parts(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    offset = "" if zone is None else "+00:00" if zone[0] not in "+-" else f"{zone[:3]}:{zone[3:].strip(':') or '00'}"
    seconds = min(int(second or 0), 59)  # a leap second
    micro = f"{fraction or '0':0<6}"[:6]
    return datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}:{seconds:02}.{micro}{offset}")


def _unix(value: float) -> datetime | None:
    for units in _UNITS_PER_SECOND:
        if _FIRST_S * units <= value < _LAST_S * units:
            whole, rest = divmod(value, units)
            return _EPOCH + timedelta(seconds=int(whole), microseconds=round(rest * 1_000_000 / units))
    return None
