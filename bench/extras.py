"""The requirements of the benches in addition to Winback: the packages of the extra `bench`, and three of Debian's."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from bench.progress import say
from worker.supervision.valkey_process import with_jemalloc

ROOT = Path(__file__).parents[1]
POLICY = Path("/usr/sbin/policy-rc.d")
Need = Literal["bytewax", "psycopg", "postgres", "redis-benchmark", "jemalloc"]
DEBIAN: Mapping[str, str] = {"postgres": "postgresql", "redis-benchmark": "redis-tools", "jemalloc": "libjemalloc2"}


@cache
def needs(what: Need) -> bool:
    """Return whether it is installed. If not, print once what is left out."""
    there = find_spec(what) is not None if what not in DEBIAN else _program(what)
    if not there:
        way = f"apt-get install {DEBIAN[what]}" if what in DEBIAN else "pip install '.[bench]'"
        say(f"LEFT OUT: what needs {what}, which is not there ({way})")
    return there


def install() -> None:
    """Install the missing ones: the extra with pip, and Debian's packages as root with apt-get."""
    if find_spec("bytewax") is None or find_spec("psycopg") is None:
        say("installing the extra `bench`")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--constraint", "constraints.txt", "--editable", ".[bench]"], cwd=ROOT, check=False)
    missing = [package for program, package in DEBIAN.items() if not _program(program)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing {', '.join(missing)}")
        _apt(missing)


def _apt(packages: list[str]) -> None:
    # Installing a server must not start it.
    forbidden = not POLICY.exists()
    if forbidden:
        POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        POLICY.chmod(0o755)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for command in (["update"], ["install", "-y", *packages]):
            subprocess.run(["apt-get", "-qq", *command], env=env, stdout=subprocess.DEVNULL, check=False)
    finally:
        if forbidden:
            POLICY.unlink()


def _program(name: str) -> bool:
    if name == "postgres":
        return any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if name == "jemalloc":  # the usual allocator of servers; see worker/supervision/valkey_process.py
        return bool(with_jemalloc())
    return shutil.which(name) is not None
