"""A running Winback, each process with its own server user."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import pytest
from redis import Redis
from typer.testing import CliRunner

from tests.security.redis_users import make_users, url_of
from tests.support.processes import Lines
from tests.support.running_shop import LOGIN, free_port
from winback.cli.commands import app
from winback.simulation.mock_api.process import MockServer
from worker.settings import load
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.roles import roles
from worker.supervision.supervisor import Supervisor

STREAMS = ("winback:events", "winback:events:1")


@dataclass
class Shop:
    """A running Winback, and its server from the owner's view."""

    admin: Any
    producer: Any
    api: MockServer
    flower: str
    env: dict[str, str]
    lines: Lines

    def send(self, session: str, kind: str = "activity", **more: object) -> None:
        event = {"session_id": session, "type": kind, "occurred_at": datetime.now(UTC).isoformat(), **more}
        stream = STREAMS[crc32(session.encode()) % len(STREAMS)]
        self.producer.xadd(stream, {"event": json.dumps(event)})

    def requests_for(self, session: str) -> int:
        return sum(made["body"]["session"]["session_id"] == session for made in self.api.requests())

    def size(self, kind: str) -> int:
        return sum(self.admin.zcard(key) for key in self.admin.scan_iter(f"winback:{{??}}:{kind}"))

    def run(self, *arguments: str) -> str:
        """Run a command as the operator."""
        result = CliRunner().invoke(app, arguments, env=self.env)
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        return result.output


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    directory, lines = tmp_path_factory.mktemp("users"), Lines()
    keys = {"public_api_key": "public", "private_secret_key": "private"}
    with EmbeddedValkey(directory / "valkey", port=0) as server, MockServer(port=0, **keys) as api:
        admin, producer = Redis.from_url(server.url), Redis.from_url(url_of("producer", server))
        make_users(admin)
        port = free_port()
        (directory / "winback.toml").touch()
        env = {
            "WINBACK_CONFIG": str(directory / "winback.toml"),
            "WINBACK_IDENTITY_SECRET": "an identity secret for the tests",
            "WINBACK_ENCRYPTION_KEYS": bytes(range(32)).hex(),
            "WINBACK_DETECTION__IDLE__CHECKOUT": "1s",
            "WINBACK_DETECTION__SWEEP_INTERVAL": "300ms",
            "WINBACK_DETECTION__MAX_SILENCE": "1h",
            "WINBACK_CONTACT__QUIET_HOURS": "off",
            "WINBACK_CONTACT__LAW": "off",
            "WINBACK_DELIVERY__MODE": "live",
            "WINBACK_DELIVERY__ENDPOINT": api.endpoint,
            "WINBACK_DELIVERY__PUBLIC_API_KEY": "public",
            "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "private",
            "WINBACK_DELIVERY__MAX_PER_DAY": "100",
            "WINBACK_WORKER__CONCURRENCY": "2",
            "WINBACK_WORKER__POOL": "threads",
            "WINBACK_INGEST__READ_TIMEOUT": "100ms",
            "WINBACK_INGEST__STREAMS": str(len(STREAMS)),
            "WINBACK_ALARMS__CHECK_INTERVAL": "300ms",
            "WINBACK_FLOWER__PORT": str(port),
            "WINBACK_FLOWER__BASIC_AUTH": ":".join(LOGIN),
        }
        to_run = [
            replace(role, env={**role.env, **env, **urls(role.name, server)})
            for role in roles(load({**env, "WINBACK_REDIS_URL": server.url}))
        ]
        operator = {**env, **urls("operator", server), "NO_COLOR": "1"}
        with Supervisor(to_run, output=lines) as supervisor:
            supervisor.wait_until(lambda: all(map(admin.exists, (f"winback:heartbeat:{role}" for role in ROLES))), 40)
            yield Shop(admin, producer, api, f"http://127.0.0.1:{port}", operator, lines)
        producer.close()
        admin.close()


ROLES = ("ingest", "sweep", "recover", "beat")


def urls(role: str, server: EmbeddedValkey) -> dict[str, str]:
    state, broker = ("producer", "flower") if role == "flower" else (role, "broker")
    return {"WINBACK_REDIS_URL": url_of(state, server), "WINBACK_BROKER_URL": url_of(broker, server, 1)}
