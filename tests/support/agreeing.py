"""Workers that declare how they send."""

from state.announcements import Agreement, declare
from state.sending_control import Control
from tests.support.control_support import control
from worker.runtime import State

LIVE, SHADOW = "live 1", "shadow 2"


def says(state: State, process: str, how: str) -> Agreement:
    return declare(state.scripts, state.keys, how, process)


def worker(state: State, how: str) -> Control:
    return Control(state.scripts, state.keys, control(state).limits, how)
