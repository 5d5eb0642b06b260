"""Shared by tests of the control keys: limits, outreaches in flight, and time that passes at once."""

from state.cipher import Unencrypted
from state.keys import DAY_MS
from state.outbox import Taken
from state.sending_control import Admitted, Control, Limits
from state.sending_status import Sending, read_sending
from state.session_record import read_session
from tests.support.durations import MINUTE_MS, SECOND_MS
from tests.support.stored_state import now_ms, texts
from worker.runtime import State

ATTEMPT_MS = 70 * SECOND_MS
TEN_A_SECOND_US = 100_000


def control(state: State, *, rate_us: int = 0, burst: int = 10, per_day: int = 0, failures: int = 3) -> Control:
    limits = Limits(
        attempt_ms=ATTEMPT_MS,
        interval_us=rate_us,
        burst=burst,
        max_per_day=per_day,
        failures=failures,
        pause_ms=MINUTE_MS,
        longest_pause_ms=16 * MINUTE_MS,
    )
    return Control(state.scripts, state.keys, limits)


def held(number: int = 0, *, token: int = 1) -> Taken:
    """Return an outreach in flight, as far as the control keys are concerned."""
    return Taken(
        outreach=f"07-{number:016x}",
        token=token,
        now_ms=0,
        lane="checkout.web.idle",
        last=0,
        claimed_at_ms=0,
        expires_at_ms=0,
        arm="",
        attempts=0,
        barrier="0-0",
        body="",
        key="",
        first_sending_ms=0,
        ambiguous=False,
        session=read_session("s-1", {}, Unencrypted()),
    )


def granted(by: Control, wanted: int = 100, *, in_flight: int = 0) -> int:
    return by.permits(wanted, in_flight=in_flight).granted


def passes(by: Control, number: int = 0, *, token: int = 1) -> Admitted:
    found = by.gate(held(number, token=token))
    assert isinstance(found, Admitted)
    return found


def sending(state: State) -> Sending:
    stored = texts(state, f"{state.keys.control}sending")
    return read_sending(stored, now_ms=now_ms(state), contacts_today=len(places(state)), orders=state.orders.flow())


def places(state: State, *, days_ago: int = 0) -> dict[str, str]:
    """Return the outreaches with a slot among the contacts of a day, with the token that took it."""
    return texts(state, f"{state.keys.control}daily_contacts:{now_ms(state) // DAY_MS - days_ago}")


def let_pass(state: State, ms: int) -> None:
    """Let time pass at once, by moving stored times back."""
    key = f"{state.keys.control}sending"
    for field in ("paused", "until", "since", "retry_at"):
        if state.client.hexists(key, field):
            state.client.hincrby(key, field, -ms)
    if state.client.hexists(key, "next_us"):
        state.client.hincrby(key, "next_us", -1000 * ms)
