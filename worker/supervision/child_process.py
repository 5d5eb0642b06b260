"""Child processes for roles: they never outlive this process, and their output is passed on line by line."""

import contextlib
import io
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Final, TextIO

from worker.supervision.roles import Role

_LONGEST_LINE: Final = 65_536  # characters; longer lines are passed on in pieces
_LAST_LINES: Final = 10
_DRAIN_S: Final = 5.0

Output = Callable[[str, str], None]
"""Takes (role, line without its end); called from several threads."""

# A shell in the role's own process group blocks on a pipe that only this process holds open for writing. However this
# process ends, the kernel closes the pipe. The shell then ends the whole group, including grandchildren.
# PR_SET_PDEATHSIG isn't used: it only exists on Linux, doesn't reach grandchildren, and fires when the *thread* that
# forked ends. The command itself is exec'd, so its pid, signals and exit code are the real ones. The watcher also keeps
# the group's number from being reused.
_LEASH: Final = r"""
exec 3<&0 </dev/null
(
  trap '' HUP INT QUIT TERM
  read -r never <&3
  kill -s TERM 0
  tenths=$1
  while [ "$tenths" -gt 0 ] && kill -s 0 "$$"; do sleep 0.1; tenths=$((tenths - 1)); done
  kill -s KILL 0
) >/dev/null 2>&1 &
shift
exec "$@" 3<&-
"""


class ProcessLeash:
    """Starts child processes that end with this process, even after SIGKILL.

    Each child leads its own session and process group, so a Ctrl-C in the terminal only reaches this process. A fork of
    this process without an exec would also hold the leash; start none while children run.
    """

    def __init__(self) -> None:
        self._ends = list(os.pipe())  # read, write; not inheritable: an exec'd child never holds the writing end

    def start(
        self,
        argv: Sequence[str],
        *,
        stdout: int | IO[bytes],
        env: Mapping[str, str] | None = None,
        umask: int = -1,
        last_words_s: float = 0.0,
    ) -> subprocess.Popen[bytes]:
        """Start a command with its standard error in its standard output, and no input.

        Args:
            argv: The command. One that can't be executed ends with 126 or 127.
            stdout: As for `subprocess.Popen`.
            env: Variables in addition to this process's environment.
            umask: Of the files it makes; -1 is this process's.
            last_words_s: Seconds between SIGTERM and SIGKILL after this process ended.

        Raises:
            OSError: The system can't start another process.
        """
        return subprocess.Popen(  # noqa: S603 - the command is ours
            ["/bin/sh", "-c", _LEASH, "winback-leash", str(round(last_words_s * 10)), *argv],
            stdin=self._ends[0],
            stdout=stdout,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            umask=umask,
            start_new_session=True,
        )

    def close(self) -> None:
        """Release the leash: all processes still running on it end now."""
        while self._ends:
            os.close(self._ends.pop())


def kill_group(pid: int) -> None:
    """SIGKILL a leashed process and all its descendants. Safe in a signal handler: it doesn't block."""
    # macOS answers PermissionError for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end(process: subprocess.Popen[bytes], grace_s: float) -> None:
    """Send SIGTERM to the process, wait up to `grace_s` seconds for an ordered end, then SIGKILL its whole group."""
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        pass
    finally:
        kill_group(process.pid)
    process.wait()


class PrefixedOutput:
    """An `Output` that writes `role | line` to a stream: only whole lines, coloured by role on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, role: str, line: str) -> None:
        """Write one line."""
        head = f"{role:<8} | "
        # A closed output must not stall the roles.
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._coloured:
                head = f"\x1b[{self._colours.setdefault(role, 31 + len(self._colours) % 6)}m{head}\x1b[0m"
            self._stream.write(f"{head}{line}\n")
            self._stream.flush()


class RoleProcess:
    """A role as a child process (see `supervisor.Child`) whose output is passed on line by line."""

    def __init__(self, role: Role, leash: ProcessLeash, output: Output) -> None:
        self.name = role.name
        self._role = role
        self._leash = leash
        self._output = output
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """As `Child.pid`."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """As `Child.start`."""
        self._process = self._leash.start(self._role.argv, stdout=subprocess.PIPE, env=self._role.env)
        self._reader = threading.Thread(target=self._pass_on, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def wait(self) -> int:
        """As `Child.wait`. Its output has been passed on by then, unless that takes longer than 5 s."""
        if self._process is None or self._reader is None:
            return 0
        code = self._process.wait()
        # Before reading to the end: orphans of a pool would hold the pipe open and keep working.
        kill_group(self._process.pid)
        self._reader.join(_DRAIN_S)
        return code

    def stop(self) -> None:
        """As `Child.stop`."""
        if self._process is not None and self.pid is not None:
            end(self._process, self._role.grace_s)

    def last_lines(self) -> Sequence[str]:
        """As `Child.last_lines`."""
        return tuple(self._last_lines)

    def _pass_on(self, stdout: IO[bytes]) -> None:
        with io.TextIOWrapper(stdout, encoding="utf-8", errors="replace") as lines:
            while line := lines.readline(_LONGEST_LINE):
                text = line.removesuffix("\n")
                self._last_lines.append(text)
                self._output(self.name, text)
