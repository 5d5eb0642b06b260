"""Any order and repetition of orders, answers and corrections gives the same counts."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.connection import connect
from state.outbox import Result
from state.scripts import Scripts
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, arrived
from tests.support.ingest_support import process
from tests.support.orders import contacted, merit, order
from tests.support.redis_clients import FAKEREDIS, fake_client
from tests.support.states import WINDOW_MS, FakeScripts, make_state
from tests.support.stored_state import now_ms
from worker.runtime import State

# When an order was made, relative to the contact, and its value.
orders = st.tuples(
    st.sampled_from([-HOUR_MS, -1, 0, 1, MINUTE_MS, HOUR_MS, WINDOW_MS, WINDOW_MS + 1]),
    st.sampled_from(["s-1", "s-other", None]),
    st.sampled_from([None, 0.0, 10, 149.99]),
)
corrections: list[Result | None] = [None, "sent", "dead"]


@pytest.fixture(scope="module", params=[FAKEREDIS, pytest.param("valkey", marks=pytest.mark.xdist_group("valkey"))])
def counting(request: pytest.FixtureRequest) -> Iterator[State]:
    """A server that every example empties for itself."""
    if request.param == "fakeredis":
        client = fake_client()
        yield make_state(client, FakeScripts(client))
    else:
        client = connect(request.getfixturevalue("valkey").url)
        yield make_state(client, Scripts(client))
    client.flushall()
    client.close()


@given(
    st.data(),
    st.lists(orders, min_size=1, max_size=5),
    st.sampled_from(["sent", "holdout", "dead", "given_up"]),
    st.sampled_from(corrections),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_orders_and_corrections_count_the_same_in_any_sequence(
    counting: State,
    data: st.DataObject,
    made: list[tuple[int, str | None, float | None]],
    result: str,
    corrected: Result | None,
) -> None:
    def outcome(chosen: list[int]) -> dict[str, int]:
        """Apply the chosen events in this order after one contact; -1 is the correction."""
        counting.client.flushall()
        held = contacted(counting, ago_ms=WINDOW_MS + 2 * HOUR_MS, result=result)
        contact_ms = int(counting.client.hget(counting.keys.outreach(held.outreach), "contacted_at") or base_ms)
        steps: list[Callable[[], object]] = []
        for place in chosen:
            if place < 0:
                steps.append(lambda: corrected and counting.outbox.settle(held, corrected, reason=""))
                continue
            ago, session, value = made[place]
            entry = arrived(order(session, value, customer=JANE), contact_ms + ago)
            steps.append(lambda entry=entry: process(counting, entry))  # type: ignore[misc]
        for step in steps:
            step()
        return merit(counting)

    base_ms = now_ms(counting) - WINDOW_MS - 2 * HOUR_MS
    # One after the other, with everything known from the start.
    scan_all = list(range(len(made)))
    expected = outcome([-1, *sorted(scan_all, key=lambda place: made[place][0])])
    repeated = [-1, *scan_all, *data.draw(st.lists(st.sampled_from([-1, *scan_all]), max_size=4))]
    assert outcome(data.draw(st.permutations(repeated))) == expected
    is_contact = result in {"sent", "holdout"} or (result == "given_up" and corrected == "sent")
    after = [at for at, _, _ in made if 0 <= at <= WINDOW_MS]
    assert sum(number for name, number in expected.items() if ".orders" in name) == (1 if is_contact and after else 0)
