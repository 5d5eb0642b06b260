"""Ctrl-C (and SIGTERM) as a wish to stop that is noticed between two steps, and while input is waited for."""

import signal
from collections.abc import Iterable, Iterator
from threading import Event
from types import FrameType, TracebackType
from typing import Self, TypeVar

_T = TypeVar("_T")


class CtrlC:
    """As a context manager, in the main thread. The first signal sets `pressed`; a second one ends the process."""

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
        """Yield items, until a signal comes; also while the next one is waited for, as at the end of a quiet pipe."""
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
            # A read that a signal interrupts is taken up again unless its handler raises.
            raise KeyboardInterrupt

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
