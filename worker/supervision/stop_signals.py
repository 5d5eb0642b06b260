"""Signals that stop a program: in order at the first one, at once at the second."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

_Handler = Callable[[int, FrameType | None], object] | int | None
# `timeout` and some wrappers signal both the process and its group, which counts as one request
_SAME_REQUEST_S: Final = 0.1


class StopSignals:
    """While entered, SIGINT, SIGTERM and SIGHUP request a stop. For programs that end afterwards.

    Once a stop was requested, the program ignores further signals after this is left.
    """

    def __init__(
        self, *, first: Callable[[], object], second: Callable[[], object], clock: Callable[[], float]
    ) -> None:
        """Prepare; nothing is changed yet.

        Args:
            first: Called at the first signal, in its handler.
            second: Called at each later one.
            clock: Monotonic seconds.
        """
        self._first = first
        self._second = second
        self._clock = clock
        self._asked_at: float | None = None
        self._before: dict[signal.Signals, _Handler] = {}
        self.came_twice = False
        """Whether a second signal arrived."""

    def __enter__(self) -> Self:
        # An ignored signal stays ignored: `nohup winback up` requires it.
        heard = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._ask) for number in heard}
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        for number, handler in self._before.items():
            # An extra Ctrl-C must not end in a traceback of the interpreter's shutdown.
            signal.signal(number, handler if self._asked_at is None else signal.SIG_IGN)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked_at is None:
            self._asked_at = self._clock()
            self._first()
        elif self._clock() - self._asked_at > _SAME_REQUEST_S:
            self.came_twice = True
            self._second()
