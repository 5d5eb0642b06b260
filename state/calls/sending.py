"""The scripts that decide for all workers whether and how fast outreaches are sent."""

from typing import NamedTuple, Self

from state.script import Arguments, nothing, number, script, text


@script(number)
def clock_put_back(differ_ms: int) -> Arguments:
    """Check whether the clock was put back. The reply: by how much (ms)."""
    return (differ_ms,)


@script(nothing)
def put_back_control(step: int) -> Arguments:
    """Move times in the future back by `step` (ms)."""
    return (step,)


class PermitsReply(NamedTuple):
    """How many outreaches can be leased."""

    granted: int
    state: str
    changed: bool
    why: str
    next_ms: int

    @classmethod
    def parse(cls, reply: tuple[int, bytes, int, bytes, bytes]) -> Self:
        """Return the parsed reply of permits.lua."""
        granted, state, changed, why, next_ms = reply
        return cls(granted, state.decode(), bool(changed), why.decode(), int(next_ms))


@script(PermitsReply.parse)
def permits(*, wanted: int, in_flight: int, interval_us: int, burst: int, most_a_day: int, probe_ms: int) -> Arguments:
    """Take permits."""
    return wanted, in_flight, interval_us, burst, most_a_day, probe_ms


@script(nothing)
def return_permits(outreach: str, token: int, day: str, not_made: int, interval_us: int) -> Arguments:
    """Return permits, and the daily slot of a contact."""
    return outreach, token, day, not_made, interval_us


class SendingGateReply(NamedTuple):
    """The verdict of the gate."""

    verdict: str
    """`go`, or the block."""
    day: str
    """With `go`: the day of its slot; empty for none."""
    is_watched: bool
    """With `go`: whether a success must be recorded."""

    @classmethod
    def parse(cls, reply: tuple[bytes] | tuple[bytes, bytes, int]) -> Self:
        """Return the parsed reply of sending_gate.lua."""
        if len(reply) == 1:
            return cls(reply[0].decode(), "", is_watched=False)
        verdict, day, is_watched = reply
        return cls(verdict.decode(), day.decode(), bool(is_watched))


@script(SendingGateReply.parse)
def sending_gate(
    *, outreach: str, token: int, most_a_day: int, attempt_ms: int, silent_from: int, sending_mode: str
) -> Arguments:
    """Pass the gate before the fence."""
    return outreach, token, most_a_day, attempt_ms, silent_from, sending_mode


@script(nothing)
def report_outcome(
    *, outreach: str, health: str, why: str, row: int, first_pause_ms: int, longest_pause_ms: int, asked_ms: int
) -> Arguments:
    """Record the result of a request."""
    return outreach, health, why, row, first_pause_ms, longest_pause_ms, asked_ms


class SetPauseReply(NamedTuple):
    """The state of sending before an operator paused or resumed it, and the end of the pause."""

    was_paused: bool
    why: str
    """Why it had stopped automatically; empty if it hadn't."""
    until_ms: int
    """0: until an operator resumes it."""
    orders_held: bool
    """Whether it was held because no orders arrive."""

    @classmethod
    def parse(cls, reply: tuple[int, bytes, bytes, int]) -> Self:
        """Return the parsed reply of set_pause.lua."""
        was_paused, why, until_ms, orders_held = reply
        return cls(bool(was_paused), why.decode(), int(until_ms), bool(orders_held))


@script(SetPauseReply.parse)
def set_pause(wish: str, reason: str, pause_ms: int) -> Arguments:
    """Pause or resume sending."""
    return wish, reason, pause_ms


@script(text)
def declare(process: str, sending_mode: str, counts_ms: int) -> Arguments:
    """Declare how a worker sends. The reply: `agreed`, `mixed` or `waits`."""
    return process, sending_mode, counts_ms
