"""How a role becomes a child process that never outlives us, and whose output is passed on line by line."""

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

_LONGEST_LINE: Final = 65_536  # characters; what is longer is passed on in pieces
_LAST_LINES: Final = 10
_DRAIN_S: Final = 5.0

Output = Callable[[str, str], None]
"""Takes (role, line without its end); called from several threads."""

# A shell in the role's own process group blocks on a pipe that only we hold open for writing. However we end, the
# kernel closes it; the shell then ends the whole group, grandchildren included. Why not PR_SET_PDEATHSIG: it exists on
# Linux alone, does not reach grandchildren, and fires when the *thread* that forked ends. The command itself is exec'd,
# so its pid, signals and exit code are the real ones. The watcher also keeps the group's number from being reused.
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
    """Starts child processes that end when this process does, also by SIGKILL.

    Each child leads its own session and process group: a Ctrl-C in the terminal reaches us alone. A fork of this
    process that never execs would hold the leash as well; start none while children are out.
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
        """Start a command with its standard error in its standard output and nothing to read.

        Args:
            argv: The command. One that can't be executed ends with 126 or 127.
            stdout: As for `subprocess.Popen`.
            env: What it gets on top of our environment.
            umask: Of the files it makes; -1 is ours.
            last_words_s: Seconds between SIGTERM and SIGKILL when we are gone.

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
        """Let go: whatever is still running on this leash ends now."""
        while self._ends:
            os.close(self._ends.pop())


def kill_group(pid: int) -> None:
    """SIGKILL a leashed process and all that it started. Safe in a signal handler: waits for nothing."""
    # PermissionError is what macOS answers for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end(process: subprocess.Popen[bytes], grace_s: float) -> None:
    """SIGTERM to the process alone, up to `grace_s` seconds to end in order, then SIGKILL for its whole group."""
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        pass
    finally:
        kill_group(process.pid)
    process.wait()


class PrefixedOutput:
    """An `Output` that writes `role | line` to a stream: whole lines only, coloured by role on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, role: str, line: str) -> None:
        """Write one line."""
        head = f"{role:<8} | "
        # A reader that went away must not bring the roles to a standstill.
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
        """As `Child.wait`; its output has been passed on then, unless that takes longer than 5 s."""
        if self._process is None or self._reader is None:
            return 0
        code = self._process.wait()
        # Before reading to the end: orphans of a pool would hold the pipe open, and go on working.
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
