"""How an alternative's process gets its options, and reports that a session has fallen silent.

A report stands for the call or message to a person. It is made when its line is written, and takes a while, like a
request.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from time import sleep, time

SERVER, FILE, TAKES_MS, SILENT_MS = "BENCH_SERVER", "BENCH_REPORTS", "BENCH_REPORT_MS", "BENCH_SILENT_MS"
READY = "-ready-"


def server_url() -> str:
    return os.environ[SERVER]


def silent_ms() -> int:
    """After how much silence a session must be reported."""
    return int(os.environ[SILENT_MS])


def report(session: str) -> None:
    _write(session)
    sleep(int(os.environ[TAKES_MS]) / 1000)


def ready() -> None:
    _write(READY)


def _write(what: str) -> None:
    # One write of one line, complete even if the process is killed.
    file = os.open(os.environ[FILE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{time():.4f} {what}\n".encode())
    os.close(file)


def read(path: Path) -> Sequence[tuple[float, str]]:
    """Return the times (Unix s) and sessions of the reports, in order."""
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return [(float(at), what) for at, _, what in (line.partition(" ") for line in lines)]
