"""A temporary PostgreSQL from Debian's package, in a directory that is removed with it."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import TypedDict

import psycopg

OPTIONS = {
    # As its documentation advises for many writes; durability has its default.
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "listen_addresses": "127.0.0.1",
}
START_WITHIN_S = 30.0


class _As(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class PostgresServer:
    url: str
    pid: int
    version: str


def programs() -> Path | None:
    """Return the directory of the newest installed PostgreSQL's programs; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def running() -> Iterator[PostgresServer]:
    where = programs()
    assert where is not None, "PostgreSQL is not installed"
    directory = Path(mkdtemp(prefix="bench-postgres-"))
    # It doesn't run as root.
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    as_owner: _As = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        os.chown(directory, owner.pw_uid, owner.pw_gid)
        initialise: list[str | Path] = [
            where / "initdb",
            "-D",
            directory / "data",
            "-U",
            "bench",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        subprocess.run(initialise, check=True, stdout=subprocess.DEVNULL, cwd=directory, **as_owner)
        port = _free_port()
        argv: list[str | Path] = [where / "postgres", "-D", directory / "data", "-p", str(port), "-k", directory]
        argv += [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        with (directory.parent / f"{directory.name}.log").open("wb") as log:
            process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=directory, **as_owner)
        try:
            url = f"postgresql://bench@127.0.0.1:{port}/postgres"
            yield PostgresServer(url, process.pid, _version(url))
        finally:
            process.terminate()
            process.wait(30)
            Path(log.name).unlink()
    finally:
        shutil.rmtree(directory)


def _version(url: str) -> str:
    deadline = monotonic() + START_WITHIN_S
    while True:
        try:
            with psycopg.connect(url) as connection:
                row = connection.execute("SHOW server_version").fetchone()
                assert row is not None
                return str(row[0])
        except psycopg.OperationalError:
            if monotonic() > deadline:
                raise
            sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
