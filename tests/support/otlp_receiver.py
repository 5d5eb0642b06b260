"""A receiver of OpenTelemetry's traces over HTTP, which keeps what it gets. It can stop answering."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class ReceivedSpan(NamedTuple):
    """A span as it arrived."""

    name: str
    role: str
    span_id: bytes
    parent_id: bytes
    attributes: dict[str, str | int]


class Receiver:
    """What arrived."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.frozen = Event()
        """While it is set, requests get no answer."""
        self.ended = Event()

    def spans(self, name: str) -> list[ReceivedSpan]:
        """Return the spans of a name."""
        return [span for body in self.bodies for span in _spans(body) if span.name == name]


@contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    """Serve on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if receiver.frozen.is_set():
                receiver.ended.wait(60)
                return
            receiver.bodies.append(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()


def _spans(body: bytes) -> Iterator[ReceivedSpan]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = {one.key: one.value.string_value for one in resource.resource.attributes}
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            attributes: dict[str, str | int] = {
                one.key: one.value.int_value if one.value.HasField("int_value") else one.value.string_value
                for one in span.attributes
            }
            yield ReceivedSpan(span.name, about["winback.role"], span.span_id, span.parent_span_id, attributes)
