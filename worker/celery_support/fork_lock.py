"""Work in a thread of a process that forks, as a pool does to replace its processes, whatever threads there are.

A child has one thread, and of every lock that another thread held at that moment it has a copy that nobody will ever
release. So nobody forks while such work goes on.
"""

import os
from threading import Lock
from typing import Final

LONGEST_S: Final = 15.0
"""For so long a fork waits; something that hangs must not keep a pool from replacing its processes."""
fork_lock: Final = Lock()
"""Held by a thread while it does something; a fork waits until it is done."""
_held: list[bool] = []


def _before() -> None:
    _held.append(fork_lock.acquire(timeout=LONGEST_S))


def _after() -> None:
    if _held.pop():
        fork_lock.release()


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
