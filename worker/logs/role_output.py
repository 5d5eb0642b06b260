"""A role's output outside of its log, in the log's form: JSON lines, unless it runs on a terminal."""

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from json import dumps

from worker.logs.masking import mask_urls

_COMMANDS = frozenset({"collect", "ingest", "metrics", "outcomes", "record"})
"""Commands of `winback` that are roles."""


def is_json() -> bool:
    """Return whether the log of this process is JSON: not on a terminal."""
    return not sys.stderr.isatty()


def is_role(arguments: list[str]) -> bool:
    """Return whether a command line of `winback` starts a role."""
    if not arguments or arguments[0] not in _COMMANDS or "--help" in arguments:
        return False
    # These are roles unless they have a command of their own.
    return arguments[0] not in {"collect", "outcomes", "record"} or arguments[1:] == []


def leave_out_rich() -> None:
    """Make imports of rich fail, which structlog and httpx allow for: no role uses it, each would keep it loaded."""
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # the import system's value for a missing module


def refuse(problem: Exception | str, role: str) -> None:
    """Write why a role doesn't start, one line for each problem."""
    for text in str(problem).splitlines():
        write(line("start_refused", role, level="critical", text=text) if is_json() else text)


def line(event: str, role: str, *, level: str = "info", **fields: str) -> str:
    """Return a line in the log's form, for places before logging is set up, or in a signal handler."""
    masked = {name: mask_urls(text) for name, text in fields.items()}
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return dumps({"timestamp": at, "level": level, "event": event, "logger": "winback.output", **masked, "role": role})


def write(text: str) -> None:
    """Write a whole line at once, past all buffers, which can be in use in a signal handler."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    with suppress(OSError):
        os.write(2, f"{text}\n".encode(errors="backslashreplace"))
