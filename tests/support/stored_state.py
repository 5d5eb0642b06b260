"""What is stored of sessions and outreaches, and the counters."""

from typing import Any

from state.partition_totals import OUTCOMES
from state.session_record import Session, read_session
from worker.runtime import State


def now_ms(state: State) -> int:
    seconds, micros = state.client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def stored(state: State, session: str = "s-1") -> Session:
    return read_session(session, texts(state, state.keys.session(session)), state.cipher)


def record(state: State, outreach: str) -> dict[str, str]:
    return texts(state, state.keys.outreach(outreach))


def texts(state: State, key: str) -> dict[str, str]:
    found: Any = state.client.hgetall(key)
    return {name.decode(): value.decode() for name, value in found.items()}


def text_at(state: State, key: str) -> str:
    found: Any = state.client.get(key)
    assert found is not None, f"{key} is not there"
    return str(found.decode())


def lanes_of(state: State, session: str = "s-1") -> dict[str, int]:
    """The lanes in which a session waits, with its score: it has been silent since then, or a later moment."""
    found = {}
    for key in state.client.scan_iter(f"{state.keys.namespace}:*:lane:*"):
        score = state.client.zscore(key, session)
        if score is not None:
            found[key.decode().rpartition(":lane:")[2]] = int(score)
    return found


def places_of(state: State, outreach: str) -> set[str]:
    """The sorted sets that an outreach is in: due, leased, dead, unknown."""
    number, names = int(outreach[:2]), ("due", "leased", "dead", "unknown")
    return {name for name in names if score_of(state, f"{state.keys.partition(number)}{name}", outreach) is not None}


def score_of(state: State, key: str, member: str) -> int | None:
    score: float | None = state.client.zscore(key, member)
    return None if score is None else int(score)


def ttl_ms(state: State, key: str) -> int | None:
    """Return how long a key still exists; None: without expiry. A missing key fails the test."""
    left = int(state.client.pttl(key))
    assert left != -2, f"{key} is not there"
    return None if left == -1 else left


def counters(state: State) -> dict[str, int]:
    """What outreaches and sessions ended as, wherever and whenever; without what is back at zero."""
    totals: dict[str, int] = {}
    for name, total in all_counters(state).items():
        ended = name.partition("@")[0]
        if ended.partition(".")[0] in OUTCOMES:
            totals[ended] = totals.get(ended, 0) + total
    return {name: total for name, total in totals.items() if total}


def all_counters(state: State, *names: str) -> dict[str, int]:
    """All counters that begin with one of these names, summed over all days; without those that are back at zero."""
    totals: dict[str, int] = {}
    for key in state.client.scan_iter(f"{state.keys.namespace}:*:stats:*"):
        for name, value in texts(state, key.decode()).items():
            totals[name] = totals.get(name, 0) + int(value)
    return {name: total for name, total in totals.items() if total and name.startswith(names or "")}


def arms(state: State) -> dict[str, int]:
    """Return the counters of the arms of experiments."""
    return {name: number for name, number in all_counters(state).items() if name.startswith("arm.") and number}
