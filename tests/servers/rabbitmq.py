"""Debian's RabbitMQ, one node with its own name, data, ports and port mapper (epmd)."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from typing import Any

from tests.servers.programs import Program, found
from tests.support.waiting import eventually
from worker.supervision.valkey_process import free_port


class RabbitMQ:
    """A running node."""

    def __init__(self, directory: Path, env: dict[str, str], port: int) -> None:
        self.url = f"amqp://guest:guest@127.0.0.1:{port}//"
        self.directory = directory
        self._env = env

    def ctl(self, *arguments: str) -> str:
        """Run its own command."""
        command = [found("rabbitmqctl"), "--quiet", *arguments]
        command[0] = "/usr/lib/rabbitmq/bin/rabbitmqctl"
        done = subprocess.run(command, env=self._env, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    def queues(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return its queues by name, each with its type and number of messages."""
        lines = self.ctl("list_queues", "name", "type", "messages", "--no-table-headers").splitlines()
        return {name: (kind, {"messages": int(number)}) for name, kind, number in (line.split("\t") for line in lines)}

    def written(self) -> bytes:
        """Return all that it has written to its disk."""
        files = (path for path in self.directory.rglob("*") if path.is_file())
        return b"".join(path.read_bytes() for path in files)


@contextmanager
def rabbitmq(directory: Path) -> Iterator[RabbitMQ]:
    directory.mkdir(parents=True, exist_ok=True)
    port, distribution, mapper = free_port(), free_port(), free_port()
    config = directory / "rabbitmq.conf"
    config.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nloopback_users.guest = true\n")
    (directory / "plugins").write_text("[].\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")} | {
        "HOME": str(directory),  # its own command needs this cookie, too
        "LC_ALL": "C.UTF-8",
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"winback-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "logs"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_CONF_ENV_FILE": str(directory / "none"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1 -kernel inet_dist_use_interface {127,0,0,1}",
    }
    # If the node started the port mapper, it would outlive the node.
    names = Program(directory / "epmd", [found("epmd"), "-port", str(mapper), "-address", "127.0.0.1"], env)
    found("rabbitmq-server")
    with names, Program(directory / "node", ["/usr/lib/rabbitmq/bin/rabbitmq-server"], env) as node:
        eventually(lambda: _is_open(port), 60)
        assert node.pid
        yield RabbitMQ(directory, env, port)


def _is_open(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
