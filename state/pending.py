"""A pending result: the caller works while the server does."""

from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from state.errors import StateError

Result = TypeVar("Result")
Other = TypeVar("Other")


class Pending(Generic[Result]):
    """The result of commands that were sent. Call `result` or `drain`, or their connection stays in use."""

    def __init__(self, wait: Callable[[], Result]) -> None:
        """`wait`: wait for the replies and return the result; called at most once."""
        self._wait: Callable[[], Result] | None = wait

    def result(self) -> Result:
        """Wait for the result, once.

        Raises:
            StateError: The server didn't carry out all commands, or a reply was lost.
            RuntimeError: The result was taken before.
        """
        if self._wait is None:
            raise RuntimeError("this result was taken before")
        wait, self._wait = self._wait, None
        return wait()

    def drain(self) -> None:
        """Wait for the result if it wasn't taken, and discard it or its error, so that no reply stays unread."""
        if self._wait is not None:
            with suppress(StateError):
                self.result()

    def then(self, convert: Callable[[Result], Other]) -> "Pending[Other]":
        """Return a pending result that applies `convert` to this one, and replaces it."""
        return Pending(lambda: convert(self.result()))
