"""The README's first event, with its own commands: it reaches the mock API at any time of day."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.test_deploy_server import free_port
from tests.support.pages import README, ROOT, blocks, marked
from tests.support.processes import until

BIN = Path(sys.executable).parent
pytestmark = pytest.mark.e2e


class Terminal:
    """A terminal that runs the commands of a block. Only ports and paths of programs are replaced."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._valkey, self._api, self._flower = free_port(), free_port(), free_port()

    def command(self, mark: str) -> str:
        (text,) = marked(README, mark)
        return (
            text.replace("make setup\n", "")
            .replace(".venv/bin/", f"{BIN}/")
            .replace("winback mock-api", f"winback mock-api --port {self._api}")
            .replace("winback up", f"winback up --valkey-port {self._valkey}")
            .replace(":6390/", f":{self._valkey}/")
        )

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")} | {
            "WINBACK_DELIVERY__ENDPOINT": f"http://127.0.0.1:{self._api}/ai-caller-ms/recovery-payment/external",
            "WINBACK_FLOWER__PORT": str(self._flower),
        }

    @contextmanager
    def running(self, mark: str) -> Iterator[Path]:
        """Run a block until the end of the context; yields the file of its output."""
        output = self._directory / f"{mark}.txt"
        with output.open("w") as file:
            shell = ["bash", "-c", self.command(mark)]
            process = subprocess.Popen(
                shell,
                cwd=self._directory,
                env=self.environment(),
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
            try:
                yield output
            finally:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(60)

    def run(self, mark: str) -> str:
        """Run a block in the shell that sent the event, and return its output."""
        event = self.command("event")
        text = event if mark == "event" else f"{event.splitlines()[0]}\n{self.command(mark)}"
        done = subprocess.run(
            ["bash", "-euc", text],
            cwd=self._directory,
            env=self.environment(),
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stdout


def test_first_event_reaches_the_mock_api(tmp_path: Path) -> None:
    for name in ("trial.toml", "flowerconfig.py"):
        shutil.copy(ROOT / name, tmp_path)
    terminal = Terminal(tmp_path)
    with terminal.running("mock") as requests, terminal.running("roles") as log:
        until(lambda: "listens on" in requests.read_text(), within_s=60)
        until(lambda: "everything is up" in log.read_text(), within_s=120)
        terminal.run("event")
        until(lambda: "accepted" in requests.read_text(), within_s=60)
        assert "cart-1" in requests.read_text()
        until(lambda: "ended sent" in terminal.run("explain"), within_s=60)
        assert "live: requests go to 127.0.0.1" in terminal.run("explain")
        # As the quickstart says: repeating the event causes no second contact.
        terminal.run("event")
        until(lambda: "session_limit" in terminal.run("explain").replace(" ", "_"), within_s=90)
        assert requests.read_text().count("accepted") == 1


def test_quickstart_has_the_commands_of_the_readme() -> None:
    commands = [block.text for block in blocks(ROOT / "docs" / "quickstart.md") if block.language == "sh"]
    assert commands == [text for mark in ("mock", "roles", "event") for text in marked(README, mark)]
