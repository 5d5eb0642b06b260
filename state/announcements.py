"""The settings that processes announce, and how workers agree on the sending mode."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from state.calls import monitoring, sending
from state.keys import HEARTBEAT_TTL_MS, Keys
from state.scripts import Scripts
from state.server_errors import driver_errors

DECLARATION_COUNTS_MS = 10_000
"""How long a declaration counts after its worker last repeated it. Workers repeat it every 2 s."""
Agreement = Literal["agreed", "mixed", "waits"]
"""`mixed`: running workers declared different modes. `waits`: the record has another mode, and follows next time."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """The settings that one process announced, and when (Unix ms of the server)."""

    process: str
    at_ms: int
    about: Mapping[str, str]


def this_process() -> str:
    """Return the name of this process: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


def announce(scripts: Scripts, keys: Keys, role: str, about: Mapping[str, str], process: str = "") -> None:
    """Record the settings of a process (empty: this one) in a role. Secrets only as fingerprints.

    Raises:
        StateError: The server doesn't answer.
    """
    text = json.dumps(about, separators=(",", ":"))
    scripts.run(monitoring.announce(keys.announced(role), process or this_process(), HEARTBEAT_TTL_MS, text))


def read_announcements(found: Mapping[str, str]) -> tuple[Announcement, ...]:
    """Return the announcements of a role's processes, latest first. Unreadable ones are skipped."""
    read = []
    for process, stored in found.items():
        at, _, text = stored.partition(" ")
        try:
            about = json.loads(text)
        except ValueError:
            continue
        if at.isdigit() and isinstance(about, dict):
            texts = {str(name): str(value) for name, value in about.items()}
            read.append(Announcement(process, int(at), texts))
    return tuple(sorted(read, key=lambda one: one.at_ms, reverse=True))


def declare(scripts: Scripts, keys: Keys, sending_mode: str, process: str = "") -> Agreement:
    """Declare how a worker (empty: this one) sends. The record follows when all running workers agree.

    Raises:
        StateError: The server doesn't answer.
    """
    call = sending.declare(keys.control, process or this_process(), sending_mode, DECLARATION_COUNTS_MS)
    return cast("Agreement", scripts.run(call))


def withdraw(scripts: Scripts, keys: Keys, process: str = "") -> None:
    """Withdraw the declaration of a worker (empty: this one) that ended, so that others don't wait for it.

    Raises:
        StateError: The server doesn't answer.
    """
    with driver_errors():
        scripts.client.hdel(keys.workers, process or this_process())
