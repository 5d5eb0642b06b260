"""The processors of every log line: they remove secrets and personal data, and make forged lines impossible."""

import math
import os
import re
from collections.abc import Callable, Mapping

from structlog.typing import EventDict, Processor, WrappedLogger

from worker.logs.masking import MASK, is_secret, mask_urls, one_line

_FIRST = ("timestamp", "level", "event", "logger")
_DEEPEST = 6  # levels of lists and mappings in one value
_TEXT_OF_LINES = ("exception", "stack")
# A safety net below the rule against logging personal data: for libraries' logs and exceptions' messages.
_PERSONAL = re.compile(r"phone|e_?mail|full_name", re.IGNORECASE)
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}(?![0-9])")
_REJECTED_INPUT = re.compile(r"(?<=input_value=).*?(?=, input_type=)", re.DOTALL)


def scrubbing(*, escaped: bool) -> Processor:
    """Return the processor that reduces an event to plain data without secrets or personal data.

    Args:
        escaped: Whether line breaks and control characters are also escaped, for a renderer that writes text unchanged.
            The lines of a traceback stay separate and indented, so that none looks like an event.
    """
    clean: Callable[[str], str] = one_line if escaped else str

    def scrub(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        scrubbed: dict[str, object] = {}
        ordered = {key: event[key] for key in _FIRST if key in event} | dict(event)
        for key, value in ordered.items():
            if escaped and key in _TEXT_OF_LINES:
                lines = _mask(str(value)).split("\n")
                scrubbed[key] = "\n".join(f"    {one_line(line)}" for line in lines)
            else:
                scrubbed[clean(str(key))] = _plain(str(key), value, clean, _DEEPEST)
        return scrubbed

    return scrub


def _plain(key: str, value: object, clean: Callable[[str], str], depth: int) -> object:
    if value is not None and not isinstance(value, bool) and (is_secret(key) or _PERSONAL.search(key)):
        return MASK
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return _scalar(value, clean)
    if not depth:
        return "..."
    if isinstance(value, Mapping):
        return {clean(_mask(str(inner))): _plain(str(inner), item, clean, depth - 1) for inner, item in value.items()}
    return [_plain(key, item, clean, depth - 1) for item in value]


def _scalar(value: object, clean: Callable[[str], str]) -> object:
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return clean(_mask(value if isinstance(value, str) else _represent(value)))


def _represent(value: object) -> str:
    try:
        return str(value) if isinstance(value, os.PathLike) else repr(value)
    except Exception as problem:  # noqa: BLE001 - a log line must not fail because of its data
        return f"<{type(value).__name__} without a repr: {type(problem).__name__}>"


def _mask(text: str) -> str:
    return _PHONE.sub(f"+{MASK}", _REJECTED_INPUT.sub(MASK, mask_urls(text)))
