"""No process is forked during a thread's critical section."""

import os
from threading import Event, Thread

import pytest

from worker.celery_support.fork_lock import fork_lock


# From Python 3.12 on, it warns of exactly the tested behaviour.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_waits_for_what_a_thread_is_doing() -> None:
    begun, go_on, order = Event(), Event(), []

    def work() -> None:
        with fork_lock:
            begun.set()
            go_on.wait(10)
            order.append("done")

    thread = Thread(target=work)
    thread.start()
    begun.wait(10)
    Thread(target=go_on.set).start()
    child = os.fork()
    if child == 0:
        os._exit(0 if order == ["done"] and fork_lock.acquire(blocking=False) else 1)
    assert os.waitpid(child, 0)[1] == 0
    thread.join(10)
    assert not fork_lock.locked()
