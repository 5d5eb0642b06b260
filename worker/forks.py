"""Work in a thread of a process that forks, as a pool does to replace its processes, whatever threads there are.

A child has one thread, and of every lock that another thread held at that moment it has a copy that nobody will ever
release. So nobody forks while such work goes on.
"""

import os
from threading import Lock
from typing import Final

undivided: Final = Lock()
"""Held by a thread while it does something; a fork waits until it is done."""

os.register_at_fork(before=undivided.acquire, after_in_parent=undivided.release, after_in_child=undivided.release)
