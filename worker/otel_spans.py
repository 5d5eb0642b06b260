"""Spans of OpenTelemetry, sent over HTTP by a thread of their own."""

import atexit
import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from os import environ
from threading import Thread
from time import monotonic

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span as OpenTelemetrySpan
from opentelemetry.trace import SpanKind, Status, StatusCode

from state.tracing import Attribute, Span, SpanName, Trace

EXPORT_TIMEOUT_S = 3
SEND_EVERY_MS = 1000
STOP_S = 2.0
"""How long the end of a process waits for spans that aren't sent yet."""
_NAMES: Mapping[Attribute, str] = {"status": "http.response.status_code"}
"""Names of OpenTelemetry's conventions; all others begin with `winback.`."""


_LOGGERS = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")
_LOGGED_EVERY_S = 60.0


class _OneLine(logging.Filter):
    """Replaces what OpenTelemetry logs of each failure: it can quote the endpoint's password."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_s = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Let one line through from time to time."""
        now_s = monotonic()
        if now_s - self._logged_s < _LOGGED_EVERY_S:
            return False
        self._logged_s = now_s
        record.__dict__.update(msg="spans can't be sent and are lost", args=(), exc_info=None, exc_text=None)
        return True


_ONE_LINE = _OneLine()


class _Reported:
    __slots__ = ("_span",)

    def __init__(self, span: OpenTelemetrySpan) -> None:
        self._span = span

    def set(self, name: Attribute, value: str | int) -> None:
        """Add an attribute."""
        self._span.set_attribute(_NAMES.get(name, f"winback.{name}"), value)


def exporting(role: str) -> Trace:
    """Return what reports the spans of a role. The standard variables `OTEL_*` apply.

    A collector that is slow or away costs nothing but the spans: the queue is bounded, and its thread has a timeout.
    """
    provider = _provider(role)
    atexit.register(_stop, provider)
    tracer = provider.get_tracer("winback")

    @contextmanager
    def span(name: SpanName) -> Iterator[Span]:
        kind = SpanKind.CLIENT if name == "request" else SpanKind.INTERNAL
        # The text of an error can hold personal data, so only its type is reported.
        with tracer.start_as_current_span(
            name, kind=kind, record_exception=False, set_status_on_exception=False
        ) as one:
            try:
                yield _Reported(one)
            except BaseException as exc:
                one.set_attribute("error.type", type(exc).__name__)
                one.set_status(Status(StatusCode.ERROR))
                raise

    def trace(name: SpanName) -> AbstractContextManager[Span]:
        return span(name)

    return trace


def check() -> None:
    """Check the values of the standard variables.

    Raises:
        ValueError: One is wrong.
    """
    _provider("").shutdown()


def _provider(role: str) -> TracerProvider:
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_ONE_LINE)
    own = {"service.name": environ.get("OTEL_SERVICE_NAME", "winback"), "winback.role": role}
    provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
    timeout_s = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in environ else EXPORT_TIMEOUT_S
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(timeout=timeout_s), schedule_delay_millis=SEND_EVERY_MS)
    )
    return provider


def _stop(provider: TracerProvider) -> None:
    """Send what is left, for a bounded time."""
    sending = Thread(target=provider.shutdown, name="last-spans", daemon=True)
    sending.start()
    sending.join(STOP_S)
