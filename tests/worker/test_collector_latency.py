"""One request doesn't keep the others waiting."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from storefronts.delivery import Delivery
from storefronts.options import NO_OPTIONS
from storefronts.own_events import EVENTS
from tests.support.collecting import BY_SERVER, Answer, call, collector
from worker.collector.app import create_app
from worker.collector.process import Collector
from worker.collector.reading_thread import LARGE_BYTES
from worker.collector.shop_sources import ShopSource
from worker.collector.source import Access, Reading
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


class _Slow(ShopSource):
    """Reads a body until another request has been read."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(EVENTS, {}, NO_OPTIONS, is_scoped=False, routes=("one", "other"))
        self._wait_s = wait_s
        self.other_was_read = Event()
        self.was_in_the_meantime: bool | None = None

    def read(self, delivery: Delivery, access: Access) -> Reading:
        del access
        if delivery.route == "other":
            self.other_was_read.set()
        else:
            self.was_in_the_meantime = self.other_was_read.wait(self._wait_s)
        return Reading(())


@pytest.fixture
def found(valkey: EmbeddedValkey, tmp_path: Path) -> Iterator[Collector]:
    with collector(valkey.url, tmp_path / "spool") as started:
        yield started


async def _both(found: Collector, slow: _Slow, size: int) -> list[Answer]:
    app = create_app(found.acceptance, lambda: True, {"/slow/{route}": slow})
    bodies = (("one", b"x" * size), ("other", b"x"))
    return await asyncio.gather(*(call(app, iter([body]), BY_SERVER, path=f"/slow/{name}") for name, body in bodies))


@pytest.mark.parametrize(("size", "in_the_meantime"), [(LARGE_BYTES, True), (LARGE_BYTES - 1, False)])
def test_only_large_bodies_are_read_in_a_thread(found: Collector, size: int, *, in_the_meantime: bool) -> None:
    slow = _Slow(20 if in_the_meantime else 0)
    assert [answer.status for answer in asyncio.run(_both(found, slow, size))] == [200, 200]
    assert slow.was_in_the_meantime is in_the_meantime
