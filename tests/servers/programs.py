"""External programs: each with its own ports and directory, ended with the tests."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from worker.supervision.child_process import ProcessLeash, end, kill_group

INSTALL = "apt-get install redis-server redis-sentinel rabbitmq-server prometheus, then stop what that has started"


def found(program: str) -> str:
    """Return the path of a program; a missing one is a failure with the fix."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/rabbitmq/bin")
    assert path is not None, f"{program} is missing: {INSTALL}"
    return path


class Program:
    """A child process that ends with these tests, even if they are killed."""

    def __init__(self, directory: Path, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.log = directory / "log"
        self._argv = argv
        self._env = env
        self._leash = ProcessLeash()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = self._leash.start(self._argv, stdout=log, env=self._env, last_words_s=1.0)

    def kill(self) -> None:
        kill_group(self.pid)
        assert self._process is not None
        self._process.wait()

    def stop(self, within_s: float = 10.0) -> int:
        """SIGTERM, then SIGABRT if needed, so that it can print where it hangs; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGABRT)
        end(self._process, 2.0)
        return self._process.returncode

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self.stop()
        self._leash.close()
