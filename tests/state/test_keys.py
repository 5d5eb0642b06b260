"""The names of keys: shared slots, separation, and allowed characters."""

from redis.crc import key_slot

from state.partitions import partition_of
from state.people import person_of
from tests.support.control_support import TEN_A_SECOND_US, control, granted, passes
from tests.support.dumps import dump
from tests.support.durations import DAY_MS
from tests.support.events import event, happen
from tests.support.outreaches import abandon, dispatch, sending, sweep
from tests.support.redis_clients import fake_client
from tests.support.states import CONTACT_REF, LIMITS, SECRET, FakeScripts, make_state
from tests.support.stored_state import lanes_of, now_ms, stored
from worker.runtime import State

PERSON = person_of("+573001234567", SECRET)


def slots(keys: list[str]) -> set[int]:
    return {key_slot(key.encode()) for key in keys}


def every_key(state: State) -> list[str]:
    return list(dump(state))


def live_through_everything(state: State) -> str:
    """Create every sort of key of a session; return the outreach."""
    held = sending(state)
    state.outbox.settle(held, "unknown", line="")
    dead = sending(state, "s-dead")
    state.outbox.settle(dead, "dead", line="")
    sending(state, "s-sending")
    abandon(state, "s-waiting")
    happen(state, event(session="s-silent"))
    return held.outreach


def test_all_keys_of_a_session_share_a_slot(state: State) -> None:
    outreach, number = live_through_everything(state), partition_of("s-1")
    mine = [key for key in every_key(state) if f"{{{number:02d}}}" in key]
    kinds = {key.split(":")[2] for key in mine}
    assert {"session", "outreach", "unknown", "stats"} <= kinds
    assert len(slots(mine)) == 1
    names = [
        state.keys.session("s-1"),
        state.keys.lane(number, "checkout.web.idle"),
        state.keys.due(number),
        state.keys.leased(number),
        state.keys.outreach(outreach),
        state.keys.stats(number, 1),
    ]
    assert slots(names) == slots(mine)


def test_all_keys_of_a_person_share_a_slot(state: State) -> None:
    state.people.opt_out(PERSON)
    state.people.mark_bought(PERSON, now_ms(state))
    other = person_of("+573001234568", SECRET)
    state.people.reserve([other], "07-0123456789abcdef", 1, CONTACT_REF, LIMITS)
    assert len(slots([key for key in every_key(state) if PERSON in key])) == 1
    prefix = state.keys.person(PERSON)
    assert len(slots([f"{prefix}bought", f"{prefix}opted_out", f"{prefix}reserved"])) == 1
    assert slots([prefix]) != slots([state.keys.person(other)])


def test_all_control_keys_share_a_slot(state: State) -> None:
    by = control(state, rate_us=TEN_A_SECOND_US, per_day=5)
    granted(by)
    passes(by)
    mine = [key for key in every_key(state) if key.startswith(state.keys.control)]
    assert len(mine) == 2
    assert len(slots([*mine, state.keys.control])) == 1


def test_scripts_and_python_have_the_same_names_for_keys(state: State) -> None:
    outreach = live_through_everything(state)
    number = partition_of("s-1")
    named = {
        state.keys.session("s-1"),
        state.keys.outreach(outreach),
        state.keys.stats(number, now_ms(state) // DAY_MS),
        state.keys.lane(partition_of("s-silent"), "checkout.web.idle"),
        state.keys.leased(partition_of("s-sending")),
        state.keys.due(partition_of("s-waiting")),
    }
    assert named <= set(every_key(state))


def test_every_key_begins_with_the_namespace() -> None:
    client = fake_client()
    state = make_state(client, FakeScripts(client), namespace="brand-b")
    state.streams.first.create_group()
    state.streams.reject(b"1-0", [("", "")], applied=False)
    state.streams.open_sweep(1)
    state.people.opt_out(PERSON)
    live_through_everything(state)
    assert {key.partition(":")[0] for key in every_key(state)} == {"brand-b"}


def test_two_namespaces_on_one_server_do_not_see_each_other(state: State) -> None:
    other = make_state(state.client, state.scripts, namespace="other")
    abandon(state)
    assert stored(other).activity == 0
    assert dispatch(other) == []
    assert sweep(other) == 0
    happen(other, event(stage="payment"))
    assert stored(state).state == "abandoned"
    assert list(lanes_of(other)) == ["payment.web.idle"]


def test_no_phone_number_is_in_any_key(state: State) -> None:
    live_through_everything(state)
    state.people.opt_out(PERSON)
    assert not [key for key in every_key(state) if "3001234567" in key]
