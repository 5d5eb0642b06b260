"""The programs that play shoppers with an SDK: each is set up as the guide says, and fed with a plan of steps."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.shoppers import Shopper
from tests.support.pages import ROOT, marked

GUIDE = ROOT / "docs" / "guides" / "sdks.md"
INSTALLED = ROOT / ".cache" / "clients"
"""Where `make clients` installs the SDKs."""
PLAYERS = Path(__file__).parent / "players"
START_S = 3
"""When shoppers begin: until then, the other programs start and take the processor."""
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
    change: tuple[str, str] = ("", "")
    """Words of the block, and what takes their place."""

    @property
    def is_python(self) -> bool:
        return self.folder.startswith("python")

    @property
    def is_browser(self) -> bool:
        return self.folder == "browser"

    def code(self, url: str, key: str = "", change: tuple[str, str] = ("", "")) -> str:
        """Return the lines of the guide with the collector's address, and with another key than the right one."""
        (text,) = marked(GUIDE, self.block)
        written, own = ("PUBLIC_KEY", PUBLIC_KEY) if self.is_browser else ("SERVER_KEY", SERVER_KEY)
        assert HOST in text
        assert f'"{written}"' in text
        scheme, _, host = url.partition("://")
        for old, new in (self.change, change):
            assert old in text
            text = text.replace(old, new) if old else text
        text = text.replace(f"https://{HOST}", url).replace(HOST, host).replace('"https"', f'"{scheme}"')
        return text.replace(written, key or own)


# Without it, the SDKs wait for more events for ten seconds.
_AT_ONCE = (" });", ", flushInterval: 200 });")
CLIENTS = {
    client.name: client
    for client in (
        Client("segment-python", "client_segment_python", "python"),
        Client("segment-python-2.3", "client_segment_python", "python-older"),
        Client("rudder-python", "client_rudder_python", "python"),
        Client("segment-node", "client_segment_node", "node", _AT_ONCE),
        Client("rudder-node", "client_rudder_node", "node", _AT_ONCE),
        Client("segment-browser", "client_segment_browser", "browser"),
        Client("rudder-browser", "client_rudder_browser", "browser"),
    )
}


@dataclass(frozen=True)
class Run:
    """One client in a program, and its shoppers."""

    name: str
    code: str
    shoppers: Sequence[Shopper]


class Program:
    """A program that runs one SDK, as several clients at once."""

    def __init__(self, client: Client, folder: Path, runs: Sequence[Run], clock_s: int = 0) -> None:
        """`folder`: for its files. `clock_s`: what its clock is ahead."""
        self._runs = runs
        stem = folder / f"{client.name}.{clock_s}.{runs[0].name}"
        self._log, self._out, given = (stem.with_name(f"{stem.name}.{kind}") for kind in ("log", "out", "json"))
        plan = {"clock_s": clock_s, "steps": _steps(runs), **(_python(runs) if client.is_python else _node(stem, runs))}
        given.write_text(json.dumps(plan))
        program = [sys.executable, "sdk.py"] if client.is_python else [shutil.which("node") or "node", "sdk.mjs"]
        env = {**os.environ, "PYTHONPATH": str(INSTALLED / client.folder), "NO_PROXY": "127.0.0.1"}
        with given.open("rb") as taken, self._out.open("wb") as out, self._log.open("wb") as log:
            self._process = subprocess.Popen(program, stdin=taken, stdout=out, stderr=log, env=env, cwd=PLAYERS)

    def errors(self, within_s: float = 60) -> dict[str, list[str]]:
        """Wait for its end, and return the errors that each client reported, by the name of its run."""
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.end()
            raise
        assert code == 0, self._log.read_text()
        found = json.loads(self._out.read_text().splitlines()[-1])["errors"]
        return {run.name: errors for run, errors in zip(self._runs, found, strict=True)}

    def end(self) -> None:
        """Kill it if it runs."""
        self._process.kill()
        self._process.wait()


def _steps(runs: Sequence[Run]) -> list[dict[str, object]]:
    """Return what all shoppers do, in the order of time."""
    steps = [
        {**step, "at_s": START_S + step["at_s"], "client": number}
        for number, run in enumerate(runs)
        for one in run.shoppers
        for step in one.steps
    ]
    return sorted(steps, key=lambda step: float(step["at_s"]))


def _python(runs: Sequence[Run]) -> dict[str, object]:
    return {"codes": [run.code for run in runs]}


def _node(stem: Path, runs: Sequence[Run]) -> dict[str, object]:
    # A module finds the packages that are next to it.
    modules = [INSTALLED / "node" / f"{os.getpid()}.{stem.name}.{run.name}.mjs" for run in runs]
    for module, run in zip(modules, runs, strict=True):
        module.write_text(f"{run.code}\nexport {{ analytics }};\n")
    return {"modules": [str(module) for module in modules]}
