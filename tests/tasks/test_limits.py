"""How often a person can be contacted: the policy and the reservation agree about the same contacts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from state.limit import Limit
from state.people import ContactRecord, person_of
from tasks.policy.limits import held_for, is_reached
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.redis_clients import emptied
from tests.support.states import CAP_MS, CONTACT_REF, LEASE_MS, SECRET
from tests.support.stored_state import now_ms
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

PERSON, MINE = person_of("+573001234567", SECRET), "07-0123456789abcdef"
AGES = st.lists(st.sampled_from([0, LEASE_MS // 2, HOUR_MS, HOUR_MS + LEASE_MS // 2, 5 * HOUR_MS, DAY_MS]), max_size=5)
LIMITS = st.lists(st.builds(Limit, st.integers(1, 4), st.sampled_from([HOUR_MS, 6 * HOUR_MS, CAP_MS])), max_size=3)


@settings(deadline=None, max_examples=50)
@given(ages=AGES, limits=LIMITS, mine=st.none() | st.sampled_from([MINUTE_MS, 2 * HOUR_MS]))
def test_policy_and_reservation_agree(
    valkey: EmbeddedValkey, ages: list[int], limits: list[Limit], mine: int | None
) -> None:
    with emptied(valkey) as state:
        agree(state, ages, limits, mine)


def agree(state: State, ages: list[int], limits: list[Limit], mine: int | None) -> None:
    now = now_ms(state)
    others = [ContactRecord(f"11-{number:016x}", now - age) for number, age in enumerate(ages)]
    key = f"{state.keys.person(PERSON)}reserved"
    for held in [*others, *([ContactRecord(MINE, now - mine)] if mine else [])]:
        state.client.hset(key, held.outreach, f"1:{held.at_ms}")
    answer = state.people.reserve([PERSON], MINE, 2, CONTACT_REF, limits)
    if held_for(others, now_ms=now, lease_ms=LEASE_MS) > 0:
        assert answer == "held"
    else:
        reached = any(is_reached(limit, others, now_ms=now, lease_ms=LEASE_MS) for limit in limits)
        assert answer == ("limited" if reached else "reserved")
