"""Signals that ask a program to stop: in order at the first one, at once at the second."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

_Handler = Callable[[int, FrameType | None], object] | int | None
_SAME_REQUEST_S: Final = 0.1  # `timeout` and some wrappers signal both the process and its group: that is one request


class StopSignals:
    """While it is entered, SIGINT, SIGTERM and SIGHUP ask for a stop. For programs that end afterwards.

    Once a stop was asked for, the program hears no further signal after this is left.
    """

    def __init__(
        self, *, first: Callable[[], object], second: Callable[[], object], clock: Callable[[], float]
    ) -> None:
        """Prepare; nothing is changed yet.

        Args:
            first: Called at the first signal, in its handler.
            second: Called at each later one.
            clock: Seconds, steady.
        """
        self._first = first
        self._second = second
        self._clock = clock
        self._asked_at: float | None = None
        self._before: dict[signal.Signals, _Handler] = {}
        self.came_twice = False
        """Whether a second signal came."""

    def __enter__(self) -> Self:
        # One that is ignored stays so: `nohup winback up` asks for that.
        heard = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._ask) for number in heard}
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        for number, handler in self._before.items():
            # One Ctrl-C more than was needed must not end in a traceback of the interpreter's own end.
            signal.signal(number, handler if self._asked_at is None else signal.SIG_IGN)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked_at is None:
            self._asked_at = self._clock()
            self._first()
        elif self._clock() - self._asked_at > _SAME_REQUEST_S:
            self.came_twice = True
            self._second()
