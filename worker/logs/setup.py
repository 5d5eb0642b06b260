"""Logging of all roles: structlog and the standard library through one renderer, one line per event, no secrets.

Modules log with `structlog.stdlib.get_logger(__name__)`, an event's name and its fields; never personal data.
"""

import logging
import os
import sys
from contextlib import suppress
from json import dumps
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from worker.logs.redaction import scrubbing

# httpx logs every URL at INFO, and httpcore every header, including keys, at DEBUG.
_ALWAYS_QUIET = ("httpx", "httpcore")
# uvicorn has its own handlers, which would bypass the renderer.
_WITH_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access")


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; for one that can't be written it only prints the logger's name."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        # The standard library would print the record itself, unmasked, with a traceback.
        with suppress(OSError, ValueError):
            problem = type(sys.exception()).__name__
            self.stream.write(dumps({"event": "log_line_lost", "logger": record.name, "problem": problem}) + "\n")


def configure(role: str, *, json: bool | None = None, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Set up logging for this process; a second call replaces the first setup.

    Args:
        role: The role of this process (`ingest`, `recover`, ...), a field of every line.
        json: One JSON object per line, or lines for people; None: for people on a terminal, otherwise JSON.
        level: The lowest level to log.
        stream: The output; None: standard error.
    """
    out = stream or sys.stderr
    on_terminal = out.isatty()
    shared = _shared(role)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A cached logger would keep the setup from before this call.
        cache_logger_on_first_use=False,
    )
    rendering = _rendering(
        as_json=not on_terminal if json is None else json,
        colors=on_terminal and not os.environ.get("NO_COLOR"),
    )
    handler = _Handler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    _route_standard_library(handler, level)


def _shared(role: str) -> list[Processor]:
    """Return the processors of all lines, those of structlog and those of the standard library."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.dev.set_exc_info,
        # Plain tracebacks: prettier ones print local variables, which hold personal data.
        structlog.processors.format_exc_info,
        _with_role(role),
    ]


def _rendering(*, as_json: bool, colors: bool) -> tuple[Processor, Processor]:
    if as_json:
        # json escapes every control character, and with ensure_ascii the line breaks of Unicode as well.
        return scrubbing(escaped=False), structlog.processors.JSONRenderer(ensure_ascii=True)
    return scrubbing(escaped=True), structlog.dev.ConsoleRenderer(colors=colors, sort_keys=False, pad_event_to=0)


def _route_standard_library(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # A logger that passes nothing on, like billiard's for the processes of a pool, prints bare text otherwise.
    logging.lastResort = handler
    root.setLevel(level)
    for name in _ALWAYS_QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _WITH_OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.captureWarnings(capture=True)


def _with_role(role: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**event, "role": role}

    return add
