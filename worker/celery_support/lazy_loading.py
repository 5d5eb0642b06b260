"""Data for attempts that takes long to load: law, names and languages."""

from collections.abc import Callable
from threading import Lock


class Once:
    """Calls a function once, and again after a failure; other threads wait for it."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function
        self._lock = Lock()

    def __call__(self) -> None:
        """Return after the function has been called."""
        with self._lock:
            if self._function is not None:
                self._function()
                self._function = None


def load_for_attempts() -> None:
    """Load the data for attempts, some 25 MB: before a pool is forked, or with the first outreach."""
    from detectors.normalize.warm_up import warm_up
    from tasks.delivery import attempt
    from tasks.policy.law.warm_up import warm_up as warm_up_law

    del attempt
    warm_up()
    warm_up_law()
