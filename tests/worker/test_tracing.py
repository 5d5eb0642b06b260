"""Traces: nothing is imported without an endpoint, and the text of an error stays here."""

import subprocess
import sys

import pytest

from state.tracing import Trace, no_trace
from tests.support.otlp_receiver import otlp_receiver
from tests.support.waiting import eventually
from worker import tracing
from worker.errors import StartError
from worker.tracing import ENDPOINT, require_exporter, trace_of

IMPORTED = """
import sys
from worker import tracing
from worker.celery_support import task_deps
from worker.ingest import consumer
tracing.require_exporter()
tracing.trace_of("ingest")
# redis-py imports the API if it is there.
print([name for name in sys.modules if name.startswith(("opentelemetry.exporter", "opentelemetry.sdk.trace"))])
"""


def fail(trace: Trace) -> None:
    with trace("attempt") as span:
        span.set("outreach", "00-1")
        raise ValueError("Jane Doe")


def test_without_an_endpoint_nothing_is_imported() -> None:
    shown = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_without_an_endpoint_nothing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert trace_of("ingest") is no_trace


def test_missing_extra_is_one_line_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.setattr(tracing, "find_spec", lambda _name: None)
    with pytest.raises(StartError, match=r"pip install 'winback\[otel\]'"):
        require_exporter()


def test_error_is_reported_by_its_type_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with otlp_receiver() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url)
        with pytest.raises(ValueError, match="Jane"):
            fail(trace_of("recover"))
        eventually(lambda: receiver.spans("attempt"))
        [found] = receiver.spans("attempt")
        assert found.attributes == {"winback.outreach": "00-1", "error.type": "ValueError"}
        assert not any(b"Jane" in body for body in receiver.bodies)
