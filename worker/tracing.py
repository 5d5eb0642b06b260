"""Traces over OpenTelemetry. Without OTEL_EXPORTER_OTLP_ENDPOINT, nothing of it is imported."""

import os
from importlib.util import find_spec

from state.tracing import Trace, no_trace
from worker.errors import StartError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def require_exporter() -> None:
    """Check that traces can be sent, if an endpoint is named.

    Raises:
        StartError: The extra `otel` isn't installed.
    """
    if os.environ.get(ENDPOINT) and find_spec("opentelemetry") is None:
        raise StartError(f"{ENDPOINT}: needs the extra otel: pip install 'winback[otel]'")


def trace_of(role: str) -> Trace:
    """Return what reports the spans of a role, from now on in this process. Call it after a fork."""
    if not os.environ.get(ENDPOINT):
        return no_trace
    from worker.otel_spans import exporting

    return exporting(role)
