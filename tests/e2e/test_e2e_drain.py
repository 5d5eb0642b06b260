"""A stopped recover worker finishes its attempts first, with a pool of threads and one of processes."""

import os
import signal
from pathlib import Path
from random import Random
from threading import Event

import pytest

from tests.faults.checker import check
from tests.faults.fault import USUAL
from tests.faults.ledger import ACCEPT, Answer, always
from tests.faults.settings import POOL
from tests.faults.shop import Shop
from tests.faults.system import System
from tests.support.processes import is_gone
from tests.support.wire import Wire

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults")]


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_stopped_worker_finishes_its_attempts(pool: str, tmp_path: Path) -> None:
    may_answer = Event()

    def answer_late(wire: Wire) -> None:
        may_answer.wait(60)
        ACCEPT.act(wire)

    settings = {POOL: pool, "WINBACK_DELIVERY__TIMEOUT": "30s", "WINBACK_DELIVERY__LEASE_MARGIN": "10s"}
    with System(tmp_path / "one", settings) as system:
        system.api.plan(always(Answer("200", contact=True, act=answer_late)))
        shop = Shop(system.server.url, Random(1), "drain")
        shop.open(6, kinds=(("leaves", 1),))
        system.until(lambda: len(system.api.requests()) > 1, what="requests in flight")
        worker = system.pid("recover")

        os.kill(worker, signal.SIGTERM)
        system.until(lambda: system.said("Warm shutdown"), what="the shutdown")
        waits = not is_gone(worker)
        may_answer.set()

        system.until(lambda: is_gone(worker), what="the end of the worker")
        system.until(lambda: not shop.busy)
        system.stays_settled(0.5, 60)
        shop.close()
        verdict = check(system, shop, allowed=USUAL)
    assert waits
    assert verdict.violations == []
    assert verdict.requests == verdict.contacts
