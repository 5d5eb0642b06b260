"""Errors that no code catches, as lines of the log: of the main thread, of other threads, and in destructors."""

import sys
import threading
import traceback
from types import TracebackType

from worker.logs import role_output

_FRAMES = 5
"""Places of the traceback that are logged, the innermost first."""


def report(role: str) -> None:
    """Let uncaught errors be one JSON line each, with their type and place; on a terminal all stays as it is.

    Python would print a traceback over several lines. Its message can hold personal data and is left out.
    """
    if not role_output.is_json():
        return

    def write(kind: type[BaseException] | None, trace: TracebackType | None, thread: str) -> None:
        if kind is None or issubclass(kind, (KeyboardInterrupt, SystemExit)):
            return
        frames = traceback.extract_tb(trace)[-_FRAMES:]
        at = ", called from ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
        fields = {"error": kind.__name__, "at": at, "thread": thread}
        role_output.write(role_output.line("uncaught_error", role, level="critical", **fields))

    sys.excepthook = lambda kind, _error, trace: write(kind, trace, "main")
    threading.excepthook = lambda found: write(
        found.exc_type, found.exc_traceback, found.thread.name if found.thread else ""
    )
    sys.unraisablehook = lambda found: write(found.exc_type, found.exc_traceback, threading.current_thread().name)
