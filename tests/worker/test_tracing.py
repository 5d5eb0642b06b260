"""Traces: nothing is imported without an endpoint, and the text of an error stays here."""

import subprocess
import sys

import pytest

from state.tracing import Trace, no_trace
from tests.support.otlp_receiver import otlp_receiver
from tests.support.waiting import eventually
from worker.errors import StartError
from worker.tracing import ENDPOINT, OF_TRACES, require_exporter, trace_of

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
    monkeypatch.setitem(sys.modules, "worker.otel_spans", None)  # its import fails
    with pytest.raises(StartError, match=r"pip install 'winback\[otel\]'"):
        require_exporter()


@pytest.mark.parametrize("name", [ENDPOINT, OF_TRACES])
@pytest.mark.parametrize(
    "address", ["127.0.0.1:4318", "grpc://me:hush@host:1", "http://me:hush@[::1", "http://h:99999"]
)
def test_wrong_endpoint_is_one_line_without_its_password(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, address)
    with pytest.raises(StartError, match="is not an HTTP address") as raised:
        require_exporter()
    assert "hush" not in str(raised.value)


def test_wrong_standard_variable_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "0")
    with pytest.raises(StartError, match="max_queue_size must be a positive integer"):
        require_exporter()


FAILING = """
import logging
logging.basicConfig()
from worker.tracing import trace_of
trace = trace_of("ingest")
for _ in range(3):
    with trace("sweep"):
        pass
"""


def test_receiver_that_refuses_is_one_line_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    with otlp_receiver() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url.replace("http://", "http://me:hush@"))
    shown = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=True)
    lines = shown.stderr.splitlines()
    assert [line.rpartition(":")[2] for line in lines] == ["spans can't be sent and are lost"]


def test_endpoint_of_traces_alone_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with otlp_receiver() as receiver:
        monkeypatch.setenv(OF_TRACES, f"{receiver.url}/v1/traces")
        with trace_of("sweep")("sweep"):
            pass
        eventually(lambda: receiver.spans("sweep"))


def test_error_is_reported_by_its_type_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with otlp_receiver() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url)
        with pytest.raises(ValueError, match="Jane"):
            fail(trace_of("recover"))
        eventually(lambda: receiver.spans("attempt"))
        [found] = receiver.spans("attempt")
        assert found.attributes == {"winback.outreach": "00-1", "error.type": "ValueError"}
        assert not any(b"Jane" in body for body in receiver.bodies)
