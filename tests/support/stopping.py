"""Events that stop sending or resume it."""

from state.sending_control import Control
from tests.support.control_support import granted, held, let_pass, passes, sending
from tests.support.stored_state import now_ms
from worker.runtime import State


def fail(by: Control, *numbers: int, why: str = "http_503", pause_ms: int = 0) -> None:
    for number in numbers:
        by.report_outcome(held(number), "failing", why, pause_ms=pause_ms)


def refuse(by: Control, number: int = 0) -> None:
    by.report_outcome(held(number), "refused", "http_401")


def work(by: Control, number: int) -> None:
    by.report_outcome(held(number), "works", "")


def next_try_in_ms(state: State) -> int:
    found = sending(state).next_try_ms
    assert found is not None
    return found - now_ms(state)


def probe(state: State, by: Control, number: int) -> None:
    """Let the pause pass, and probe with one outreach."""
    let_pass(state, max(0, next_try_in_ms(state)))
    assert granted(by) == 1
    assert passes(by, number).watched
