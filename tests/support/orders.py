"""Shared by tests of attribution: earlier contacts, orders, and their counts."""

from state.attribution import Money
from state.outbox import Taken
from tests.support.attempts import PERSON
from tests.support.durations import HOUR_MS
from tests.support.events import Event, arrived, event
from tests.support.ingest_support import process
from tests.support.outreaches import fence, taken
from tests.support.passing_time import let_lease_run_out
from tests.support.states import LIMITS
from tests.support.stored_state import all_counters, now_ms
from worker.runtime import State

CART = Money("COP", 9_900)
OTHER_PHONE = "+573009999999"


def remembered(state: State, outreach: str, worth: Money | None) -> None:
    """Attribute a person's orders to an outreach, as their reservation does, without holding them."""
    lead = state.attribution.contact_ref(str(worth or ""), now_ms(state))
    state.client.delete(f"{state.keys.person(PERSON)}bought")  # their earlier orders were long ago
    assert state.people.reserve([PERSON], outreach, 1, lead, LIMITS) == "reserved"
    state.people.release([PERSON], outreach, 1)


def contacted(state: State, session: str = "s-1", *, ago_ms: int = HOUR_MS, result: str = "sent") -> Taken:
    """Let a shopper be contacted, held out (`holdout`) or be unknown, this long ago."""
    held = taken(state, session)
    remembered(state, held.outreach, CART)
    if result == "holdout":
        state.outbox.end_unsent(held, "suppressed", "holdout")
    else:
        assert fence(state, held) == "sending"
        if result == "given_up":
            let_lease_run_out(state, held.outreach)
            state.outbox.reap()
        else:
            state.outbox.settle(held, result, reason="" if result == "sent" else "because")  # type: ignore[arg-type]
    let_it_be_ago(state, held.outreach, ago_ms)
    return held


def let_it_be_ago(state: State, outreach: str, ago_ms: int) -> None:
    key = state.keys.outreach(outreach)
    if state.client.hexists(key, "contacted_at"):
        state.client.hset(key, "contacted_at", now_ms(state) - ago_ms)


def order(session: str | None = "s-1", value: float | None = 149.99, **more: object) -> Event:
    told = {} if value is None else {"order_value": value, "currency": "COP"}
    return event("order_completed", session, stage=None, **told, **more)


def order_comes(state: State, made: Event, *, ago_ms: int = 0) -> None:
    """Let an order that was placed `ago_ms` before now arrive."""
    process(state, arrived(made, now_ms(state) - ago_ms))


def merit(state: State) -> dict[str, int]:
    """Return the orders attributed to contacts, and those of the holdout."""
    return all_counters(state, "recovered", "control")


RECOVERED = {"recovered.orders@checkout.web": 1, "recovered.COP@checkout.web": 14_999}
