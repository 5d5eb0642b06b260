"""The data for attempts is loaded once, even if many threads request it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from worker.celery_support.lazy_loading import Once


def test_threads_load_once_and_wait_for_it() -> None:
    loaded: list[int] = []
    together = Barrier(8)

    def load() -> None:
        loaded.append(1)

    once = Once(load)

    def ask() -> int:
        together.wait(10)
        once()
        return len(loaded)

    with ThreadPoolExecutor(8) as pool:
        seen = [future.result(20) for future in [pool.submit(ask) for _ in range(8)]]
    assert seen == [1] * 8


def test_failed_load_is_tried_again() -> None:
    tries: list[int] = []

    def load() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ModuleNotFoundError

    once = Once(load)
    with pytest.raises(ModuleNotFoundError):
        once()
    once()
    once()

    assert len(tries) == 2
