"""Traces over OpenTelemetry. Unless a variable names an endpoint, nothing of it is imported."""

import os
from urllib.parse import urlsplit

from state.tracing import Trace, no_trace
from worker.errors import StartError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
OF_TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
"""The standard variable for the whole address, with its path. It comes first."""


def require_exporter() -> None:
    """Check that traces can be sent, if an endpoint is named.

    Raises:
        StartError: The extra `otel` isn't installed, or a variable has a wrong value.
    """
    name = OF_TRACES if os.environ.get(OF_TRACES) else ENDPOINT
    if not (endpoint := os.environ.get(name)):
        return
    if not _is_address(endpoint):
        raise StartError(f"{name}: is not an HTTP address: set one such as http://127.0.0.1:4318")
    try:
        from worker.otel_spans import check
    except ImportError:
        raise StartError(f"{name}: needs the extra otel: pip install 'winback[otel]'") from None
    try:
        check()
    except ValueError as problem:
        raise StartError(f"a variable OTEL_*: {problem}") from None


def trace_of(role: str) -> Trace:
    """Return what reports the spans of a role, from now on in this process. Call it after a fork."""
    if not (os.environ.get(OF_TRACES) or os.environ.get(ENDPOINT)):
        return no_trace
    from worker.otel_spans import exporting

    return exporting(role)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and " " not in text
    except ValueError:
        return False
