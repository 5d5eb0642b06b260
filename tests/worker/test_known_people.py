"""Ingest: what a process relies on having written, once a forget or the server's failure has taken it away."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from state import deployment
from state.connection import connect
from state.connection_count import connects_of
from state.erasure import Erasure
from state.errors import ServerUnavailableError
from state.people import person_of
from state.person_marks import MOST_LINKED
from tests.support.decision_support import Shop, shop_on
from tests.support.durations import DAY_MS, MINUTE_MS
from tests.support.events import JANE, Event, event
from tests.support.ingest_support import Breaking, ingest_of, publish, waiting
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, ttl_ms
from worker.ingest.consumer import Ingest
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
JANES = person_of(JANE["phone_number"], SECRET)


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def browse(shop: Shop, ingest: Ingest, *events: Event) -> None:
    publish(shop.state, *(events or [event(customer=JANE)]))
    while waiting(shop.state):
        ingest.step()


def sessions(shop: Shop) -> tuple[str, ...]:
    return shop.state.people.person_facts(JANES).sessions


def forget(shop: Shop) -> None:
    shop.run("forget", "--phone", JANE["phone_number"], "--yes")
    assert sessions(shop) == ()


def noted(shop: Shop, people: object = None) -> Ingest:
    """Let a process name Jane in her session until it relies on that."""
    ingest = ingest_of(shop.state, people=people)
    for _ in range(3):
        browse(shop, ingest)
    assert ingest._applier._people_writer._known_people
    assert sessions(shop) == ("s-1",)
    return ingest


def test_forgotten_person_with_new_activity_is_named_again(shop: Shop) -> None:
    ingest = noted(shop)
    forget(shop)
    browse(shop, ingest)
    assert sessions(shop) == ("s-1",)
    assert ttl_ms(shop.state, shop.state.keys.last_erasure) in range(DAY_MS - MINUTE_MS, DAY_MS + 1)


class RemovedMeanwhile:
    """People; one of them is removed between a batch's apply and its notes, by a forget that began before."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self.removes = shop, False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever people have
        if name == "send_marks" and self.removes:
            self.removes = False
            self._shop.state.client.delete(self._shop.state.keys.sessions(JANES))
            Erasure(self._shop.state.scripts, self._shop.state.keys, ()).signal_erasure()
        return getattr(self._shop.state.people, name)


def test_forget_while_a_batch_is_applied_names_them_again(shop: Shop) -> None:
    people = RemovedMeanwhile(shop)
    ingest = noted(shop, people)
    people.removes = True
    browse(shop, ingest)
    assert sessions(shop) == ("s-1",)


def test_event_during_a_forget_hides_no_later_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest = noted(shop)
    bar = Erasure.block_replays

    def browses(self: Erasure, person: str) -> None:
        # Their session goes on after it was erased, and is noted before the keys of the person are removed.
        browse(shop, ingest)
        browse(shop, ingest)
        bar(self, person)

    monkeypatch.setattr(Erasure, "block_replays", browses)
    monkeypatch.setattr("tasks.erasure.forget.MOST_ROUNDS", 1)
    shop.run("forget", "--phone", JANE["phone_number"], "--scan", "--yes", code=1)
    browse(shop, ingest)
    assert sessions(shop) == ("s-1",)


def test_late_event_from_before_a_forget_hides_no_later_one(shop: Shop) -> None:
    ingest = noted(shop)
    at_s = now_ms(shop.state) / 1000
    forget(shop)
    browse(shop, ingest, event(customer=JANE, occurred_at=at_s), event(session="s-2", customer=JANE, occurred_at=at_s))
    assert sessions(shop) == ()
    browse(shop, ingest, event(customer=JANE), event(session="s-2", customer=JANE))
    assert set(sessions(shop)) == {"s-1", "s-2"}


@pytest.mark.parametrize("idle", [True, False])
def test_server_that_lost_a_write_gets_it_again(shop: Shop, *, idle: bool) -> None:
    ingest = noted(shop)
    if not idle:
        ingest._reader._prefetched = shop.state.streams.send_read(ingest._reader.streams, "one", count=10)
    lose(shop)
    if not idle:
        publish(shop.state, event(customer=JANE))
        ingest.run(lambda: waiting(shop.state) == 0, lambda _: None)
    browse(shop, ingest)
    assert sessions(shop) == ("s-1",)


def test_after_an_error_nothing_is_relied_on(shop: Shop) -> None:
    people: Any = Breaking(shop.state.people, "send_marks", ServerUnavailableError, times=0)
    ingest = noted(shop, people)
    publish(shop.state, event(customer=JANE))
    people._left = 1
    with pytest.raises(ServerUnavailableError):
        ingest.step()
    shop.state.client.delete(shop.state.keys.sessions(JANES))
    ingest.step()
    assert sessions(shop) == ("s-1",)


def test_checkout_that_a_server_lost_is_counted_again(shop: Shop) -> None:
    ingest = noted(shop)
    lose(shop)
    shop.state.client.delete(shop.state.keys.checkouts)
    browse(shop, ingest)
    assert shop.state.client.zcard(shop.state.keys.checkouts) == 1


def test_shared_address_is_reported_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    monkeypatch.setattr(deployment, "report", lambda _scripts, _keys, about, _text: reported.append(about))
    ingest = noted(shop)
    for number in range(MOST_LINKED + 4):
        customer = {"phone_number": f"+57300123{number:04d}", "country_code": "CO", "email": "guest@shop.com"}
        browse(shop, ingest, event(session=f"g-{number}", customer=customer))
    assert reported == ["shared_identity"]


def lose(shop: Shop) -> None:
    """Take away what was written last and end all connections, as a failover does."""
    with closing(connect(shop.env["WINBACK_REDIS_URL"])) as other:
        other.delete(shop.state.keys.sessions(JANES))
        before = connects_of(shop.state.client)
        other.client_kill_filter(_type="normal", skipme=True)
    shop.state.client.ping()
    assert connects_of(shop.state.client) > before
