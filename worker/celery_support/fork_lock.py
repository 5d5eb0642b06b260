"""A lock for work in a thread of a process that forks, as a pool does to replace its processes.

A child process has one thread, and a copy of every lock that another thread held at that moment, which is never
released. So there is no fork during such work.
"""

import os
from threading import Lock
from typing import Final

LONGEST_S: Final = 15.0
"""How long a fork waits; a hanging thread must not keep a pool from replacing its processes."""
fork_lock: Final = Lock()
"""Held by a thread during its work; a fork waits until it is done."""
_held: list[bool] = []


def _before() -> None:
    _held.append(fork_lock.acquire(timeout=LONGEST_S))


def _after() -> None:
    if _held.pop():
        fork_lock.release()


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
