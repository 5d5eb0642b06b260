"""`winback forget` leaves nothing of a person and removes nothing of other people: every key is checked."""

import json
from collections.abc import Callable

import pytest

from state.partitions import partition_of
from state.recording import Copies
from tests.support.deciding import dead, unknown
from tests.support.decision_support import Shop
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, apply, arrived, event, happen
from tests.support.forgetting_people import JANES, JOHN, PHONE, left, shop, tombstones
from tests.support.ingest_support import process, publish, publish_raw, waiting
from tests.support.outreaches import abandon, dispatch, sending
from tests.support.states import CONTACT_REF, LIMITS
from tests.support.stored_state import counters, now_ms, record, stored

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


def live(shop: Shop) -> None:
    """Leave traces of Jane everywhere, and a few of John."""
    state = shop.state
    dead(state, "s-1")
    happen(state, event(session="s-2", customer={**JANE, "phone_number": "300 123 4567"}), ago_ms=MINUTE_MS)
    state.people.mark_bought(JANES, now_ms(state))
    happen(state, event(session="john", customer=JOHN), ago_ms=MINUTE_MS)
    state.streams.first.create_group()
    publish(state, event(session="s-3", customer=JANE), event(session="s-2"), event(session="john"))
    publish_raw(state, b'{"phone": "+57 300 123 4567", ')
    state.streams.reject(b"1-0", [("customer", "quotes +573001234567")], applied=False)
    state.streams.reject(b"2-0", [("cart", "is not a cart")], applied=False)


def test_forget_removes_every_trace_and_nothing_else(shop: Shop) -> None:
    live(shop)
    assert left(shop)
    done = shop.json("forget", "--scan", "--phone", "300 123 4567", "--country", "CO", "--yes")
    assert done["erased"] == {"sessions": 2, "outreaches": 1, "skeletons": 0}
    assert (done["entries"], done["rejected"], done["person_keys"], done["left"]) == (3, 1, 1, [])
    assert left(shop) == tombstones(shop, "s-1", "s-2", "s-3")
    assert stored(shop.state, "john").fields["name"] == "John Doe"
    assert waiting(shop.state) == 1
    assert shop.state.client.xlen(shop.state.keys.rejected) == 1
    assert shop.state.client.zcard(f"{shop.state.keys.partition(partition_of('s-1'))}dead") == 0


def test_copies_for_the_recorder_are_removed(shop: Shop) -> None:
    copies = Copies(shop.state.scripts, shop.state.keys, shop.state.streams)
    shop.state.streams.first.create_group()
    copies.sign(asks=True)
    publish(shop.state, event(session="s-1", customer=JANE))
    process(shop.state, *shop.state.streams.first.read("one", count=1, block_ms=1))
    assert copies.read(1)
    shop.json("forget", "--phone", PHONE, "--yes")
    assert copies.read(1) == {}
    assert copies.sign(asks=False).lost == 1


def test_it_asks_first_and_names_what_it_found(shop: Shop) -> None:
    live(shop)
    before = left(shop)
    shown = shop.run("forget", "--scan", "--phone", PHONE, typed="n\n", code=1)
    assert "found: 2 sessions, 1 outreach, 3 events not applied yet, 1 rejected entry" in shown
    assert "  session s-1\n  session s-2\n  session s-3\n" in shown
    assert left(shop) == before
    shown = shop.run("forget", "--scan", "--phone", PHONE, typed="y\n")
    assert "removed: 2 sessions, 1 outreach, 3 events not applied yet, 1 rejected entry, 1 key of the person" in shown
    assert "keys; no number, address or session of theirs is left" in shown


def test_session_identifies_its_person(shop: Shop) -> None:
    live(shop)
    shop.run("forget", "--scan", "--session", "s-1", "--yes")
    assert left(shop) == tombstones(shop, "s-1", "s-2", "s-3")


def test_session_without_person_is_forgotten_by_itself(shop: Shop) -> None:
    happen(shop.state, event(session="s-1"), ago_ms=MINUTE_MS)
    happen(shop.state, event(session="s-2", customer=JANE), ago_ms=MINUTE_MS)
    shop.run("forget", "--scan", "--session", "s-1", "--yes")
    assert tombstones(shop, "s-1")
    assert stored(shop.state, "s-2").fields["name"] == "Jane Doe"


def test_outreaches_are_forgotten_after_their_session_expired(shop: Shop) -> None:
    uncertain = unknown(shop.state, "s-1")
    body = json.dumps({"customer": {"phone_number": PHONE, "full_name": "Jane Doe"}})
    parked = shop.state.keys.body(uncertain.outreach)
    shop.state.client.delete(parked)
    shop.state.client.hset(parked, "body", body)
    shop.state.client.pexpire(parked, HOUR_MS)
    late = arrived(event("exit", "s-1", customer={"phone_number": JOHN["phone_number"]}), now_ms(shop.state))
    apply(shop.state, late)
    dead(shop.state, "s-2")
    shop.state.client.delete(shop.state.keys.session("s-2"))
    done = shop.json("forget", "--scan", "--phone", PHONE, "--yes")
    assert (done["erased"]["outreaches"], done["left"]) == (1, [])
    assert record(shop.state, uncertain.outreach) == {}
    assert shop.json("forget", "--scan", "--session", "s-2", "--yes")["erased"]["outreaches"] == 1
    assert list(shop.state.client.scan_iter("*:outreach:*")) == []


def test_a_refusal_stays_also_one_that_was_on_its_way(shop: Shop) -> None:
    publish(shop.state, event("opt_out", None, None, customer=JANE))
    shown = shop.run("forget", "--scan", "--phone", PHONE, "--yes")
    assert "they are on the opt-out list now" in shown
    assert f"stays: {shop.state.keys.person(JANES)}opted_out: an opt-out has to be known to be kept" in shown
    assert shop.state.people.person_facts(JANES).opted_out
    assert left(shop) == {}


def test_a_contact_that_was_made_still_excludes_the_next_one(shop: Shop) -> None:
    held = sending(shop.state)
    assert shop.state.people.reserve([JANES], held.outreach, held.token, CONTACT_REF, LIMITS) == "reserved"
    shop.state.outbox.settle(held, "sent", line="attempt 1")
    shown = shop.run("forget", "--scan", "--phone", PHONE, "--yes")
    assert f"stays: {shop.state.keys.person(JANES)}reserved: contacts made or in flight" in shown
    assert shop.state.people.reserve([JANES], "07-0123456789abcdef", 1, CONTACT_REF, LIMITS) == "held"
    assert left(shop) == tombstones(shop, "s-1")


def test_attempt_in_flight_ends_without_second_contact_or_trace(shop: Shop) -> None:
    held = sending(shop.state)
    shown = shop.run("forget", "--scan", "--phone", PHONE, "--yes")
    assert "1 in flight: ends without another attempt" in shown
    assert left(shop) == tombstones(shop, "s-1")
    assert shop.state.outbox.settle(held, "retry", reason="http_503", line="attempt 1 Jane Doe") == "cancelled"
    assert dispatch(shop.state) == []
    assert left(shop) == tombstones(shop, "s-1")
    assert counters(shop.state) == {"cancelled.forgotten": 1}


def test_batch_in_flight_does_not_restore_a_forgotten_person(shop: Shop) -> None:
    publish(shop.state, event(customer=JANE))
    shop.state.streams.first.create_group()
    in_flight = shop.state.streams.first.read("one", count=10, block_ms=1)
    shop.run("forget", "--scan", "--phone", PHONE, "--yes")
    process(shop.state, *in_flight)
    assert left(shop) == tombstones(shop, "s-1")


def test_what_turns_up_while_it_is_removed_goes_as_well(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from state.erasure import Erased, Erasure

    erase, new = Erasure.erase, iter(["s-2", "s-3"])

    def busy(self: Erasure, sessions: set[str], outreaches: set[str]) -> Erased:
        done = erase(self, sessions, outreaches)
        if session := next(new, None):
            happen(shop.state, event(session=session, customer=JANE))
        return done

    monkeypatch.setattr(Erasure, "erase", busy)
    abandon(shop.state)
    assert shop.json("forget", "--scan", "--phone", PHONE, "--yes")["erased"]["sessions"] == 3
    assert left(shop) == tombstones(shop, "s-1", "s-2", "s-3")


@pytest.mark.parametrize(
    "leave",
    [
        lambda shop: happen(shop.state, event(session="john", customer=JOHN, engagement={"metadata": {"alt": PHONE}})),
        lambda shop: shop.state.client.hset(shop.state.keys.problems, "x", "call 300-123-4567"),
        lambda shop: shop.state.client.set(f"{shop.state.keys.namespace}:x", "of s-1", px=HOUR_MS),
    ],
    ids=["in metadata of another", "in another key", "the session"],
)
def test_remaining_trace_is_named_and_sets_the_exit_code(shop: Shop, leave: Callable[[Shop], object]) -> None:
    abandon(shop.state)
    leave(shop)
    shown = shop.run("forget", "--scan", "--phone", PHONE, "--yes", code=1)
    assert "NOT everything is gone" in shown


def test_unknown_person_is_reported_and_proved(shop: Shop) -> None:
    happen(shop.state, event(session="john", customer=JOHN))
    shown = shop.run("forget", "--scan", "--phone", PHONE, "--yes")
    assert shown.startswith("nothing is stored about them\nproof: scanned all ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the person: --phone NUMBER, --email ADDRESS or both, or --session SESSION"),
        (("--phone", PHONE, "--session", "s-1"), "name the person: --phone NUMBER, --email ADDRESS or both, or"),
        (("--email", "unknown"), "'unknown' is not a valid e-mail address"),
        (("--phone", "12"), "'12' is not a valid phone number"),
    ],
)
def test_a_mistake_is_one_line(shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    assert shop.run("forget", *arguments, code=2).startswith(said)


def test_unreachable_server_is_reported_in_one_line(shop: Shop) -> None:
    shop.env["WINBACK_REDIS_URL"] = "redis://127.0.0.1:1/0"
    assert "nothing listens there" in shop.run("forget", "--scan", "--phone", PHONE, code=2)
