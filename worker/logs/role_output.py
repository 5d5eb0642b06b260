"""What a role prints besides its log, in the form of its log: JSON lines, unless it runs on a terminal."""

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from json import dumps

from worker.logs.masking import mask_urls

_COMMANDS = frozenset({"collect", "ingest", "metrics"})
"""Those of `winback` that are roles."""


def is_json() -> bool:
    """Whether the log of this process is JSON: not on a terminal."""
    return not sys.stderr.isatty()


def is_role(arguments: list[str]) -> bool:
    """Whether a command line of `winback` starts a role."""
    return bool(arguments) and arguments[0] in _COMMANDS and "--help" not in arguments


def leave_out_rich() -> None:
    """Let imports of rich fail, which structlog and httpx allow for: no role prints with it, and each would keep it."""
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # what the import system takes for "not there"


def refuse(problem: Exception | str, role: str) -> None:
    """Write why a role doesn't start: one line for each problem."""
    for text in str(problem).splitlines():
        write(line("start_refused", role, level="critical", text=text) if is_json() else text)


def line(event: str, role: str, *, level: str = "info", **fields: str) -> str:
    """Return a line as the log would have it, for where nothing may be logged yet, or in a signal handler."""
    masked = {name: mask_urls(text) for name, text in fields.items()}
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return dumps({"timestamp": at, "level": level, "event": event, "logger": "winback.output", **masked, "role": role})


def write(text: str) -> None:
    """Write a line at once and whole, past all buffers: in a signal handler they may be in use."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    with suppress(OSError):
        os.write(2, f"{text}\n".encode(errors="backslashreplace"))
