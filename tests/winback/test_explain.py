"""`winback explain`: why a shopper was or wasn't contacted, and the next step."""

import json
import re
from typing import Any

import pytest

from detectors.normalize.session_ids import session_key
from detectors.parsing import parse
from state.people import person_of
from tests.support.decision_support import Shop
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.erasing import forget
from tests.support.events import JANE, event, happen
from tests.support.explaining import shop, told
from tests.support.ingest_support import ingest_of, publish
from tests.support.outreaches import abandon, sending
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from winback.operations.story import when
from worker.ingest.batch import Batch, _add

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")
CART = {"total_value": 149.99, "currency": "COP", "items": [{"name": "Wireless Headphones", "price": 149.99}]}
CUSTOMER = {**JANE, "email": "jane.doe@example.com", "consent": {"call": True, "whatsapp": False}}
PERSONAL = ("Jane", "Doe", "3001234567", "jane.doe", "Wireless", "149.99")


def next_of(shop: Shop) -> str:
    return str(told(shop)["session"]["next"])


def test_session_is_found_by_original_and_stored_id(shop: Shop) -> None:
    cart = "gid://shopify/Cart/c1-7"
    parsed = parse(json.dumps(event(customer=JANE)).encode()).event
    assert parsed is not None
    batch = Batch()
    _add(batch, b"1-0", now_ms(shop.state), parsed.model_copy(update={"session_id": f"{cart}?key=secret"}))
    shop.state.sessions.apply(batch.changes)
    for asked in (cart, f"{cart}?key=secret", f" {cart}?key=other", session_key(cart)):
        story = told(shop, asked)["session"]
        assert (story["session"], story["stored_as"]) == (cart, session_key(cart))
    assert f"stored as      {session_key(cart)}" in shop.run("explain", cart)
    assert "1 session" in shop.run("forget", "--session", f"{cart}?key=secret", "--yes")
    assert told(shop, cart)["session"]["state"] == "forgotten"


def test_bought_cart_is_shown_as_bought(shop: Shop) -> None:
    happen(shop.state, event(cart=CART), ago_ms=MINUTE_MS)
    happen(shop.state, event("order_completed", stage=None), ago_ms=SECOND_MS)
    happen(shop.state, event())
    assert told(shop)["session"]["cart"] == "bought"
    assert re.search(r"cart +bought", shop.run("explain", "s-1"))


def test_waiting_session_shows_when_its_threshold_passes(shop: Shop) -> None:
    at_ms = now_ms(shop.state) - MINUTE_MS
    happen(shop.state, event(customer=CUSTOMER), ago_ms=MINUTE_MS)
    story = told(shop)["session"]
    assert (story["stage"], story["platform"], story["state"]) == ("checkout", "web", "waiting")
    assert (story["threshold"], story["setting"]) == ("15m", "detection.idle.checkout")
    assert story["next"].endswith("unless something happens, it is claimed, and the contact policy decides")
    assert abs(milliseconds_of(story["claimed_from"]) - at_ms - 15 * MINUTE_MS) < SECOND_MS
    shop.env["WINBACK_DETECTION__IDLE_BY_PLATFORM__WEB__CHECKOUT"] = "2m"
    story = told(shop)["session"]
    assert (story["threshold"], story["setting"]) == ("2m", "detection.idle_by_platform.web.checkout")


def test_stage_visits_are_shown_in_order_with_first_and_last(shop: Shop) -> None:
    at_ms = now_ms(shop.state) // MINUTE_MS * MINUTE_MS - HOUR_MS
    for stage, minute in (("checkout", 9), ("cart_review", 2), ("checkout", 4), ("payment", 9)):
        made = event(stage=stage, occurred_at=(at_ms + minute * MINUTE_MS) / 1000)
        happen(shop.state, made, ago_ms=0)
    told_at = [(stay["stage"], stay["platform"], stay["from"], stay["to"]) for stay in told(shop)["session"]["stages"]]
    two, four, nine = (when(at_ms + minute * MINUTE_MS) for minute in (2, 4, 9))
    assert told_at == [
        ("cart_review", "web", two, two),
        ("checkout", "web", four, nine),
        ("payment", "web", nine, nine),
    ]
    shown = [line.rstrip() for line in shop.run("explain", "s-1").splitlines()]
    at = shown.index(f"stages         cart_review.web at {two}")
    assert shown[at + 1] == f"               checkout.web from {four} to {nine}"


def test_superseded_session_and_its_successor_name_each_other(shop: Shop) -> None:
    begin_s = now_ms(shop.state) / 1000 - 9
    publish(shop.state, *(event(session=name, occurred_at=begin_s) for name in ("old", "older")))
    for ago_s, previous in ((1, "old"), (2, "older")):
        at_s = now_ms(shop.state) / 1000 - ago_s
        publish(shop.state, event(session="new", previous_session_id=previous, occurred_at=at_s))
    ingest_of(shop.state).step()
    old, new = told(shop, "old")["session"], told(shop, "new")["session"]
    assert (old["state"], old["superseded_by"], old["supersedes"]) == ("superseded", "new", None)
    assert old["next"] == "nothing: it was superseded by session new; see that one"
    assert (new["superseded_by"], new["supersedes"]) == (None, "old")
    assert "taken over     by session new" in shop.run("explain", "old")
    assert "took over      session old" in shop.run("explain", "new")
    # Who takes it over in turn did not take over what it had taken over.
    publish(shop.state, event(session="newest", previous_session_id="new"))
    ingest_of(shop.state).step()
    assert told(shop, "newest")["session"]["supersedes"] == "new"


def milliseconds_of(text: str) -> int:
    from datetime import datetime

    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([event(customer=JANE)], "at the next sweep it is claimed"),
        ([event(customer={"full_name": "Jane"})], "at the next sweep it ends unreachable: phone missing"),
        ([event(customer=JANE), event("payment_declined", stage=None)], "it ends suppressed: declined_off"),
        ([event("exit", stage=None)], "no event of a known type had its stage"),
        ([event(), event("order_completed", stage=None)], "nothing: it was bought"),
    ],
)
def test_what_happens_next_depends_on_what_is_known(shop: Shop, events: list[dict[str, Any]], said: str) -> None:
    for made in events:
        happen(shop.state, made, ago_ms=HOUR_MS)
    assert said in next_of(shop)


def test_session_too_old_for_a_contact_expires(shop: Shop) -> None:
    happen(shop.state, event(customer=JANE), ago_ms=4 * DAY_MS)
    assert "it ends expired: too_old" in next_of(shop)


def test_expired_voucher_is_shown_as_a_signal_with_its_threshold(shop: Shop) -> None:
    happen(shop.state, event(customer=JANE), ago_ms=MINUTE_MS)
    happen(shop.state, event("payment_pending", stage=None), ago_ms=SECOND_MS)
    story = told(shop)["session"]
    assert story["signal"]["kind"] == "pending"
    assert (story["lane"], story["threshold"], story["setting"]) == (
        "checkout.web.pending",
        "24h",
        "detection.pending",
    )


def test_unread_events_delay_the_claim(shop: Shop) -> None:
    happen(shop.state, event(customer=JANE), ago_ms=16 * MINUTE_MS)
    shop.state.client.xadd(shop.state.keys.events, {"event": "{}"}, id=f"{now_ms(shop.state) - 5 * MINUTE_MS}-0")
    assert "it is claimed" in next_of(shop)
    assert next_of(shop).startswith("when the events that have been waiting since ")


def test_personal_data_is_masked_unless_it_is_asked_for(shop: Shop) -> None:
    happen(
        shop.state, event(customer=CUSTOMER, cart=CART, engagement={"metadata": {"note": "for Jane"}}), ago_ms=MINUTE_MS
    )
    held = sending(shop.state, "s-2")
    shop.state.outbox.settle(held, "dead", reason="http_400", line="attempt 1 http_400 Jane Doe cannot be called")
    for session in ("s-1", "s-2"):
        for shown in (shop.run("explain", session), json.dumps(told(shop, session))):
            assert [text for text in PERSONAL if text in shown] == []
    assert "J*** D**  +57********67  j***@***.com  CO" in shop.run("explain", "s-1")
    revealed = shop.run("explain", "s-1", "--reveal") + shop.run("explain", "s-2", "--reveal")
    assert [text for text in PERSONAL if text not in revealed] == []


def test_person_facts_are_shown(shop: Shop) -> None:
    happen(shop.state, event(customer=CUSTOMER), ago_ms=MINUTE_MS)
    assert "has not opted out, has not bought or been contacted recently" in shop.run("explain", "s-1")
    person = person_of(JANE["phone_number"], SECRET)
    shop.state.people.opt_out(person)
    shop.state.people.mark_bought(person, now_ms(shop.state))
    assert "person         opted out, bought recently" in shop.run("explain", "s-1")
    assert "call true, whatsapp false" in shop.run("explain", "s-1")
    del shop.env["WINBACK_IDENTITY_SECRET"]
    assert told(shop)["session"]["person"] is None


def test_a_session_that_is_not_known_is_explained_too(shop: Shop) -> None:
    publish(shop.state, event())
    lines = shop.run("explain", "s-1", code=2).splitlines()
    assert lines[0].startswith("session 's-1' is not known in namespace ")
    assert [word for word in ("7 days", "namespace", "rejected", "aren't applied") if word not in " ".join(lines)] == []
    assert shop.run("explain", "07-0123456789abcdef", code=2).startswith("07-0123456789abcdef: no such outreach")


def test_forgotten_session_shows_only_that(shop: Shop) -> None:
    abandon(shop.state)
    forget(shop.state)
    story = told(shop)
    assert (story["session"]["state"], story["outreaches"]) == ("forgotten", [])
    assert "it was forgotten" in story["session"]["next"]
