"""The mock of Yuno's API as a separate process, for tests, benches and the demo."""

import contextlib
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from detectors.json_values import JsonObject
from winback.simulation.mock_api.app import PATHS
from winback.simulation.mock_api.behaviour import Knobs, MockConfig
from worker.errors import StartError

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02
_URL = re.compile(r"http://[^\s\"]+(?=[\s\"])")


class MockServer:
    """A mock that runs until the end of its `with` block, and never longer than this process.

    Args:
        port: The port on 127.0.0.1; 0 takes a free one.
        options: The fields of `MockConfig`, such as `status="500,200"`, `delay="100ms"` or `store=path`.

    Attributes:
        url: Its address, `http://127.0.0.1:<port>`.
        endpoint: The full address for Winback's requests, for the setting `delivery.endpoint`.
    """

    def __init__(self, *, port: int = 0, **options: object) -> None:
        config = MockConfig.model_validate(options)
        # The process runs in another directory.
        self._config = config.model_copy(update={"store": config.store and config.store.absolute()})
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="winback-mock-")
        self._client = httpx.Client(timeout=10, trust_env=False)
        self.url = ""
        self.endpoint = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Return the process's id, to freeze or kill it; None if there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process and wait until it answers. After a `stop`, it has the same port and no memory of requests.

        Raises:
            StartError: It exited immediately (the message is its own), or didn't answer within 20 seconds.
        """
        with self._log("out").open("wb") as out, self._log("err").open("wb") as err:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "winback.simulation.mock_api.run", str(self._port)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                cwd=Path(__file__).parents[3],
            )
        # A process that has already exited reads nothing; the reason is reported below.
        with contextlib.suppress(BrokenPipeError):
            pipe = self._process.stdin
            if pipe is not None:
                pipe.write(self._config.model_dump_json().encode() + b"\n")
                pipe.flush()
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StartError(self._log("err").read_text().strip() or "the mock did not start")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> int | None:
        """End the process, with SIGKILL if it doesn't end within 5 seconds, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return process.wait()

    def close(self) -> None:
        """Stop, and remove its output."""
        self.stop()
        self._client.close()
        self._directory.cleanup()

    def requests(self) -> list[JsonObject]:
        """Return all requests since the start or the last `forget`, oldest first, with the fields of the store.

        Raises:
            RuntimeError: There were more than it keeps (`keep`); read the store instead.
        """
        answer = self._ask("GET", "/_requests").json()
        if answer["left_out"]:
            raise RuntimeError(f"{answer['left_out']} earlier requests are no longer in memory; use a store")
        requests: list[JsonObject] = answer["requests"]
        return requests

    def summary(self) -> JsonObject:
        """Return the totals since the start or the last `forget`; see `Ledger.summary`."""
        summary: JsonObject = self._ask("GET", "/_summary").json()
        return summary

    def control(self, **knobs: object) -> None:
        """Set these knobs, and reset all others to their values at the start.

        Raises:
            ValidationError: A knob is unknown, or its value is invalid.
        """
        changes = Knobs.model_validate(knobs).model_dump(mode="json", exclude_unset=True)
        self._ask("PUT", "/_control", json=changes)

    def forget(self) -> None:
        """Forget all requests and idempotency keys. The store stays as it is."""
        self._ask("DELETE", "/_requests")

    def printed(self) -> str:
        """Return its output, errors last."""
        return self._log("out").read_text() + self._log("err").read_text()

    def _ask(self, method: str, path: str, *, json: object = None) -> httpx.Response:
        response = self._client.request(method, self.url + path, json=json)
        return response.raise_for_status()

    def _is_up(self) -> bool:
        first_line, newline, _ = self._log("out").read_text().partition("\n")
        found = _URL.search(first_line + newline)
        if found is None:
            return False
        self.url = found[0]
        self.endpoint = self.url + PATHS[0]
        self._port = httpx.URL(self.url).port or 0
        try:
            return self._client.get(self.url + "/_health").is_success
        except httpx.TransportError:
            return False

    def _log(self, name: str) -> Path:
        return Path(self._directory.name) / name
