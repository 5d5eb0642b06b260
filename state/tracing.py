"""Spans of traces: what a role reports of its steps. By default it reports nothing, at no cost.

Spans hold numbers and ids of outreaches, never personal data and no session ids, because they leave the deployment.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Literal, Protocol, Self

SpanName = Literal["ingest_batch", "sweep", "attempt", "request"]
Attribute = Literal["events", "sessions", "outreaches", "outreach", "outcome", "reason", "attempt", "status"]


class Span(Protocol):
    """A step that is under way."""

    def set(self, name: Attribute, value: str | int) -> None:
        """Add an attribute."""


Trace = Callable[[SpanName], AbstractContextManager[Span]]
"""Begins a span, within the one that the thread is in. It never raises."""


class _NoSpan:
    def set(self, name: Attribute, value: str | int) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        pass


NO_SPAN = _NoSpan()


def no_trace(_name: SpanName) -> AbstractContextManager[Span]:
    """Return a span that is reported nowhere."""
    return NO_SPAN
