"""A result that is on its way: the caller works while the server does."""

from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from state.errors import StateError

Result = TypeVar("Result")
Other = TypeVar("Other")


class Pending(Generic[Result]):
    """The result of commands that were sent. `result` or `drain` is called, or their connection stays taken."""

    def __init__(self, wait: Callable[[], Result]) -> None:
        """`wait`: wait for the replies and return the result; called at most once."""
        self._wait: Callable[[], Result] | None = wait

    def result(self) -> Result:
        """Wait for the result, once.

        Raises:
            StateError: the server did not do all that it was sent, or its reply was lost.
            RuntimeError: the result was taken before.
        """
        if self._wait is None:
            raise RuntimeError("this result was taken before")
        wait, self._wait = self._wait, None
        return wait()

    def drain(self) -> None:
        """Wait for a result that was not taken and discard it, or the server's error; no reply is left unread."""
        if self._wait is not None:
            with suppress(StateError):
                self.result()

    def then(self, convert: Callable[[Result], Other]) -> "Pending[Other]":
        """Return what `convert` makes of the result. It takes the place of this one."""
        return Pending(lambda: convert(self.result()))
