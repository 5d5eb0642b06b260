"""Beat stops at once, even in the middle of a publish."""

import pytest

from worker.celery_support.scheduler import Scheduler


class Connection:
    """A connection that waits for a reply to the interrupted publish."""

    def release(self) -> None:
        pytest.fail("it would wait forever in the handler of the signal")


def test_close_in_the_middle_of_a_publish_waits_for_nothing() -> None:
    scheduler = object.__new__(Scheduler)
    scheduler.__dict__["connection"] = Connection()
    scheduler.close()
