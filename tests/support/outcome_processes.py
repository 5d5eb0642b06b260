"""A relay and a sender of webhooks as processes, which failpoints can kill."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storefronts.delivery import Delivery, header_map
from storefronts.signatures import standard_webhooks
from tasks.failpoints import VARIABLE, Point
from tests.support.faulty_server import OK, FaultyServer
from tests.support.webhooks import SECRET
from tests.support.wire import Wire

ROOT = Path(__file__).parents[2]
RELAY = """
import os
from tasks.outcomes.relay import Relay
from tasks.outcomes.settings import OutcomeSettings
from state.outcome_feed import OutcomeFeed
from worker.runtime import open_state
from worker.settings import Settings
state = open_state(Settings(redis_url=os.environ["WINBACK_REDIS_URL"]))
Relay(OutcomeFeed(state.scripts, state.keys), OutcomeSettings(), b"secret", lambda: 0.0).move()
"""


class Shop(FaultyServer):
    """The shop's receiver: verifies each request, and keeps the id and the data of those that it accepts."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.accepted: list[tuple[str, dict[str, Any]]] = []
        self.unsigned = 0

    @property
    def ids(self) -> list[str]:
        return [identifier for identifier, _ in self.accepted]

    def _answer(self, wire: Wire) -> None:
        while request := wire.request():
            head, _, body = request.partition(b"\r\n\r\n")
            lines = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
            delivery = Delivery(body, datetime.now(UTC), header_map((name, value) for name, _, value in lines))
            is_signed = standard_webhooks(delivery, [SECRET]) == "all"
            if is_signed:
                self.accepted.append((delivery.header("webhook-id"), json.loads(body)["data"]))
            self.unsigned += not is_signed
            wire.send(OK if is_signed else b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")


@contextmanager
def sending(redis_url: str, shop: Shop, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `winback outcomes`; its log and its failpoints are in the folder."""
    with (folder / "outcomes.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "winback", "outcomes"], env=_env(redis_url, folder, shop.url), cwd=folder, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def relay(redis_url: str, folder: Path) -> int:
    """Run one round of the relay in a process; return its exit code."""
    return subprocess.run(
        [sys.executable, "-c", RELAY], env=_env(redis_url, folder), cwd=folder, check=False
    ).returncode


def kill_at(folder: Path, point: Point) -> None:
    """Kill the next process that reaches a point."""
    (folder / point).write_text("KILL", encoding="ascii")


def _env(redis_url: str, folder: Path, webhook_url: str = "") -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")}
    webhook = {"WINBACK_OUTCOMES__WEBHOOK_URL": webhook_url, "WINBACK_OUTCOMES__WEBHOOK_SECRETS": SECRET}
    return {
        **own,
        "WINBACK_REDIS_URL": redis_url,
        "PYTHONPATH": str(ROOT),
        VARIABLE: str(folder),
        **(webhook if webhook_url else {}),
    }
