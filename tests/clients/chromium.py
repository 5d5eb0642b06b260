"""A headless Chromium. It is driven over pipes with the DevTools protocol, which needs no package."""

import json
import os
import select
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, Self

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # All pages in two processes: each has its own host, and thereby its own storage.
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process",
    "--renderer-process-limit=2",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-component-update",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--accept-lang=es-CO",
    "--remote-debugging-pipe",
)
READS, WRITES = 3, 4
"""The descriptors that Chromium expects."""


class Browser:
    """Chromium until the end of its `with` block."""

    def __init__(self, folder: Path, *flags: str) -> None:
        """`folder`: for its profile and its log."""
        found = shutil.which("chromium") or shutil.which("google-chrome")
        assert found is not None, "chromium isn't installed: apt-get install chromium"
        self._command = [found, *FLAGS, *flags, f"--user-data-dir={folder / 'profile'}"]
        self._log = folder / "chromium.log"
        self._numbers = count(1)
        self._buffer = b""

    def __enter__(self) -> Self:
        there, self._to = os.pipe()
        self._from, back = os.pipe()
        # Duplicates with high numbers, so that no descriptor is overwritten before it is duplicated.
        ends = [os.dup2(end, 200 + end, inheritable=False) for end in (there, back)]
        os.close(there)
        os.close(back)
        actions: Sequence[Any] = [
            (os.POSIX_SPAWN_DUP2, ends[0], READS),
            (os.POSIX_SPAWN_DUP2, ends[1], WRITES),
            (os.POSIX_SPAWN_OPEN, 1, str(self._log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        self._pid = os.posix_spawn(self._command[0], self._command, os.environ, file_actions=actions, setpgroup=0)
        for end in ends:
            os.close(end)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._to)
        os.close(self._from)

    def page(self, url: str) -> "Page":
        """Open a page."""
        target = self.call("Target.createTarget", url=url)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, target, session)

    def call(self, method: str, session: str | None = None, within_s: float = 30, **params: object) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = monotonic() + within_s
        while (answer := self._message(deadline)).get("id") != number:
            pass  # an event, which no test needs
        assert "error" not in answer, (method, answer)
        result: dict[str, Any] = answer["result"]
        return result

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - monotonic()))
            assert ready, f"Chromium didn't answer: {self._log.read_text()[-2000:]}"
            piece = os.read(self._from, 1 << 16)
            assert piece, f"Chromium ended: {self._log.read_text()[-2000:]}"
            self._buffer += piece
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


class Page:
    """A tab."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - whatever it is in JavaScript
        """Return the value of an expression."""
        answer = self._browser.call(
            "Runtime.evaluate", self._session, expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def close(self) -> None:
        """Close the tab as a shopper does."""
        self._browser.call("Target.closeTarget", targetId=self._target)
