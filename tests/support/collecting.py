"""A collector within the test, or as a process, and its clients."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import SecretStr
from redis import Redis
from starlette.types import ASGIApp

from tests.support.cli_support import dead_port
from tests.support.processes import until
from worker.collector.process import Collector, running
from worker.collector.settings import CollectSettings
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
IDENTITY_SECRET = "of-the-tests-of-the-collector"
SERVER, PUBLIC = "server-key-1", "public-key-1"
BY_SERVER = {"authorization": f"Bearer {SERVER}"}
BY_PUBLIC = {"authorization": f"Bearer {PUBLIC}"}
EVENT = {"session_id": "cart-1", "type": "activity", "flow_stage": "checkout", "platform": "web"}


@dataclass(frozen=True)
class Answer:
    """What a client gets."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever it holds
        return json.loads(self.body)


def settings_of(redis_url: str, spool: Path, **collect: Any) -> Settings:  # noqa: ANN401 - any setting of [collect]
    keys = {"server_keys": [SERVER], "public_keys": [PUBLIC]} | collect
    section = CollectSettings(spool=spool, **keys)
    return Settings(redis_url=redis_url, identity_secret=SecretStr(IDENTITY_SECRET), collect=section)


@contextmanager
def collector(redis_url: str, spool: Path, **collect: Any) -> Iterator[Collector]:  # noqa: ANN401 - as above
    with running(settings_of(redis_url, spool, **collect)) as found:
        yield found


def post(
    app: ASGIApp,
    body: bytes | Iterable[bytes],
    headers: Mapping[str, str] = BY_SERVER,
    *,
    path: str = "/events",
    method: str = "POST",
    client: str = "203.0.113.7",
) -> Answer:
    """Send a request; a body in pieces is a chunked one."""
    pieces = [body] if isinstance(body, bytes) else body
    return asyncio.run(call(app, iter(pieces), headers, path=path, method=method, client=client))


async def call(
    app: ASGIApp,
    pieces: Iterator[bytes],
    headers: Mapping[str, str] = BY_SERVER,
    *,
    path: str = "/events",
    method: str = "POST",
    client: str = "203.0.113.7",
) -> Answer:
    """Send a request, at the same time as others of the event loop."""
    where = urlsplit(path)
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": where.path,
        "query_string": where.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": (client, 1),
    }
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))


def streamed(redis: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a client
    """Return the events of the stream, in their order."""
    return [json.loads(fields[b"event"]) for _, fields in redis.xrange("winback:events")]


def sessions(redis: Any) -> list[str]:  # noqa: ANN401 - a client
    return [event["session_id"] for event in streamed(redis)]


class CollectorProcess:
    """`winback collect` as a process."""

    def __init__(self, redis_url: str, folder: Path, **more: str) -> None:
        self.port = dead_port()
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")} | {
            "WINBACK_REDIS_URL": redis_url,
            "WINBACK_IDENTITY_SECRET": IDENTITY_SECRET,
            "WINBACK_COLLECT__SERVER_KEYS": SERVER,
            "WINBACK_COLLECT__PUBLIC_KEYS": PUBLIC,
            "WINBACK_COLLECT__PORT": str(self.port),
            "WINBACK_COLLECT__SPOOL": str(folder / "spool"),
            "PYTHONPATH": str(ROOT),
            **more,
        }
        self._folder = folder
        self._connections: list[HTTPConnection] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "collect.log").open("ab") as log:
            command = [sys.executable, "-m", "winback", "collect"]
            self._process = subprocess.Popen(command, env=self._env, cwd=self._folder, stderr=log)
        until(self._answers)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self._folder / "collect.log").read_text()

    def kill(self) -> None:
        """Kill it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        for connection in self._connections:
            connection.close()

    def stop(self) -> int:
        """End it in order; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(timeout=30)
        self.kill()
        return code

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def connection(self, timeout_s: float = 20) -> HTTPConnection:
        made = HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        self._connections.append(made)
        return made

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            connection = self.connection()
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False


def emit(
    connection: HTTPConnection, events: Sequence[Mapping[str, Any]] | Mapping[str, Any], path: str = "/events"
) -> int:
    """Post events on a connection that is kept; return the status."""
    connection.request("POST", path, json.dumps(events), BY_SERVER)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@contextmanager
def emptied(redis_url: str) -> Iterator[Any]:
    """Yield a client of a server that is empty before and after."""
    with closing(Redis.from_url(redis_url)) as redis:
        redis.flushall()
        yield redis
        redis.flushall()
