"""Stop a command on Ctrl-C or SIGTERM between two steps, or while it waits for input."""

import signal
from collections.abc import Iterable, Iterator
from threading import Event
from types import FrameType, TracebackType
from typing import Self, TypeVar

_T = TypeVar("_T")


class CtrlC:
    """A context manager for the main thread. The first signal sets `pressed`; a second one ends the process."""

    def __init__(self) -> None:
        self.pressed = Event()
        self._waiting = False
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._press)
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._restore()

    def stoppable(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield items until a signal arrives, also while waiting for the next one, as at a pipe without new data."""
        source = iter(items)
        while not self.pressed.is_set():
            try:
                self._waiting = True
                item = next(source)
            except (StopIteration, KeyboardInterrupt):
                return
            finally:
                self._waiting = False
            yield item

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        self.pressed.set()
        self._restore()
        if self._waiting:
            # Python restarts a read that a signal interrupts, unless the handler raises.
            raise KeyboardInterrupt

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
