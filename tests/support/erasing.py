"""Forgetting sessions."""

from detectors.lanes import LANES
from state.erasure import Erased, Forgetting
from tests.support.helpers import texts
from worker.runtime import State


def forgetting(state: State) -> Forgetting:
    return Forgetting(state.scripts, state.keys, [lane.name for lane in LANES])


def forget(state: State, session: str = "s-1", *outreaches: str) -> Erased:
    return forgetting(state).erase([session], outreaches)


def is_tombstone(state: State, session: str = "s-1") -> bool:
    return texts(state, state.keys.session(session)).keys() == {"state", "forgotten"}
