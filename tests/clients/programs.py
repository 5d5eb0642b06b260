"""The programs that play shoppers, each with one SDK: set up as the guide says, and fed with a plan of steps."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.shoppers import Step
from tests.support.pages import ROOT, marked

GUIDE = ROOT / "docs" / "guides" / "sdks.md"
INSTALLED = ROOT / ".cache" / "clients"
"""Where `make clients` installs the SDKs."""
PLAYERS = Path(__file__).parent / "players"
HOST = "collect.example.com"
SERVER_KEY, PUBLIC_KEY = "server-key-1", "public-key-1"


@dataclass(frozen=True)
class Client:
    """An SDK."""

    name: str
    block: str
    """The block of the guide that sets it up."""
    folder: str
    """Under INSTALLED."""

    @property
    def is_python(self) -> bool:
        return self.folder.startswith("python")

    @property
    def is_browser(self) -> bool:
        return self.folder == "browser"

    def code(self, url: str, key: str = "") -> str:
        """Return the lines of the guide with the collector's address and a key."""
        (text,) = marked(GUIDE, self.block)
        assert HOST in text
        written, own = ("PUBLIC_KEY", PUBLIC_KEY) if self.is_browser else ("SERVER_KEY", SERVER_KEY)
        assert f'"{written}"' in text
        scheme, _, host = url.partition("://")
        text = text.replace(f"https://{HOST}", url).replace(HOST, host).replace('"https"', f'"{scheme}"')
        return text.replace(written, key or own)


CLIENTS = {
    client.name: client
    for client in (
        Client("segment-python", "client_segment_python", "python"),
        Client("segment-python-2.3", "client_segment_python", "python-older"),
        Client("rudder-python", "client_rudder_python", "python"),
        Client("segment-node", "client_segment_node", "node"),
        Client("rudder-node", "client_rudder_node", "node"),
        Client("segment-browser", "client_segment_browser", "browser"),
        Client("rudder-browser", "client_rudder_browser", "browser"),
    )
}


class Program:
    """A running client."""

    def __init__(self, client: Client, folder: Path, steps: Sequence[Step], url: str, key: str = "") -> None:
        """`folder`: for its files. `key`: another key than the right one."""
        self._log, self._out = folder / f"{client.name}.log", folder / f"{client.name}.out"
        command, document = _python(client, url, key) if client.is_python else _node(client, url, key)
        env = {**os.environ, "PYTHONPATH": str(INSTALLED / client.folder), "NO_PROXY": "127.0.0.1"}
        given = folder / f"{client.name}.plan"
        given.write_text(json.dumps({**document, "steps": [*steps]}))
        with given.open("rb") as plan, self._out.open("wb") as out, self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=plan, stdout=out, stderr=log, env=env, cwd=folder)

    def result(self, within_s: float = 60) -> dict[str, Any]:
        """Wait for its end, and return what it has to say."""
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.end()
            raise
        log = self._log.read_text()
        assert code == 0, log
        return {**json.loads(self._out.read_text().splitlines()[-1]), "log": log}

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def _python(client: Client, url: str, key: str) -> tuple[list[str], dict[str, Any]]:
    return [sys.executable, str(PLAYERS / "sdk.py")], {"code": client.code(url, key)}


def _node(client: Client, url: str, key: str) -> tuple[list[str], dict[str, Any]]:
    # A module finds the packages next to it.
    module = INSTALLED / client.folder / f"{client.name}.{os.getpid()}.mjs"
    module.write_text(f"{client.code(url, key)}\nexport {{ analytics }};\n")
    node = shutil.which("node")
    assert node is not None
    return [node, str(PLAYERS / "sdk.mjs")], {"module": str(module)}
