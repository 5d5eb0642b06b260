"""The processes of an alternative: started, killed with -9 and ended by the bench."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.alternatives.reports import FILE, READY, SERVER, SILENT_MS, TAKES_MS, read
from bench.waiting import wait_for

ROOT = Path(__file__).parents[2]


def environment(server: str, reports: Path, *, silent_ms: int, takes_ms: int) -> dict[str, str]:
    """Return the variables of a process; see `reports`."""
    return {SERVER: server, FILE: str(reports), SILENT_MS: str(silent_ms), TAKES_MS: str(takes_ms)}


class Program:
    """One `python -m ...`, with its child processes."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self._argv = [sys.executable, "-m", *words]
        self._env = {**os.environ, **env}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.poll() is None, f"it has ended: {self._log.read_text()[-2000:]}"
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv, env=self._env, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )

    def wait(self, within_s: float) -> None:
        """Wait until it ends successfully."""
        assert self._process is not None
        try:
            assert self._process.wait(within_s) == 0, self._log.read_text()[-2000:]
        finally:
            self.kill()

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def until_ready(program: Program, reports: Path) -> Iterator[Program]:
    """Start a program, wait until it reports that it is ready, and kill it at the end."""
    known = len(read(reports))
    try:
        program.start()
        wait_for(lambda: program.pid > 0 and any(what == READY for _, what in read(reports)[known:]), 60)
        yield program
    finally:
        program.kill()
