"""Everything in the database, to compare two states."""

from collections import Counter
from typing import Any

from tests.support.stored_state import texts
from worker.runtime import State


def dump_without_scores(state: State) -> dict[str, object]:
    """Everything in the database but how high a session stands in its lane: a lower bound of what the session says."""
    found = dump(state)
    for key in found:
        if ":lane:" in key:
            found[key] = sorted(state.client.zrange(key, 0, -1))
        if ":stats:" in key:
            # A new session is counted where its first event to arrive finds it.
            totals: Counter[str] = Counter()
            for name, value in texts(state, key).items():
                totals[name.partition("@")[0]] += int(value)
            found[key] = sorted(totals.items())
    return found


def dump(state: State) -> dict[str, object]:
    """Everything in the database, without times to live."""
    return {key.decode(): _content(state, key) for key in sorted(state.client.scan_iter("*"))}


def _content(state: State, key: bytes) -> object:
    client: Any = state.client
    match client.type(key):
        case b"hash":
            return sorted(client.hgetall(key).items())
        case b"zset":
            return client.zrange(key, 0, -1, withscores=True)
        case b"stream":
            return client.xrange(key), client.xinfo_groups(key)
        case _:
            return client.get(key)
