"""Logged lines."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from worker.logs import setup

FORGERIES = [
    "a\n2026-01-01T00:00:00Z [error] forged",
    "a\r\nforged",
    "a\u2028forged",
    "a\x85forged",
    "a\x0bforged",
    "a\x1b[2K\x1b[1Aforged",
    "a\x9b2Kforged",
    "a\u202eforged",
    "a\x00forged",
    "a\ud800forged",
]
Lines = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _untouched_afterwards() -> Iterator[None]:
    """Restore the process's logging, so that one test's setup doesn't reach the next."""
    root = logging.getLogger()
    handlers, level, last_resort = root.handlers[:], root.level, logging.lastResort
    names = ("httpx", "httpcore", "uvicorn", "uvicorn.error", "uvicorn.access")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.lastResort = last_resort
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def configured(*, json: bool, level: int = logging.INFO) -> Lines:
    stream = io.StringIO()
    setup.configure("recover", json=json, level=level, stream=stream)
    return lambda: stream.getvalue().split("\n")[:-1]
