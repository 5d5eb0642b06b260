"""Time that passes at once: the scores hold the deadlines."""

from tests.support.stored_state import now_ms, texts
from worker.runtime import State


def let_lease_run_out(state: State, outreach: str) -> None:
    key = state.keys.leased(int(outreach[:2]))
    assert state.client.zadd(key, {outreach: now_ms(state) - 1}, xx=True, ch=True) == 1


def let_backoff_pass(state: State, outreach: str) -> None:
    key = state.keys.due(int(outreach[:2]))
    assert state.client.zscore(key, outreach) is not None
    state.client.zadd(key, {outreach: now_ms(state) - 1}, xx=True)


def let_reservations_age(state: State, person: str, by_ms: int) -> None:
    """Move all contacts of a person into the past."""
    key = f"{state.keys.person(person)}reserved"
    for outreach, held in texts(state, key).items():
        claim, at = held.split(":")
        state.client.hset(key, outreach, f"{claim}:{int(at) - by_ms}")


def let_time_pass(state: State, outreach: str, by_ms: int) -> None:
    """Move the claim of an outreach into the past, and from when it is too late."""
    key = state.keys.outreach(outreach)
    for name in ("claimed_at", "expires_at"):
        state.client.hincrby(key, name, -by_ms)


def expire_session(state: State, session: str = "s-1") -> None:
    assert state.client.delete(state.keys.session(session)) == 1
