"""Erasing sessions."""

from detectors.lanes import LANES
from state.erasure import Erased, Erasure
from tests.support.stored_state import texts
from worker.runtime import State


def erasure(state: State) -> Erasure:
    return Erasure(state.scripts, state.keys, [lane.name for lane in LANES])


def forget(state: State, session: str = "s-1", *outreaches: str) -> Erased:
    return erasure(state).erase([session], outreaches)


def is_tombstone(state: State, session: str = "s-1") -> bool:
    return texts(state, state.keys.session(session)).keys() == {"state", "forgotten"}
