"""Streams whose ids are in the future."""

from state.watermark import HIGHEST_ID
from tests.support.durations import DAY_MS
from tests.support.events import event
from tests.support.ingest_support import ingest_of, publish, publish_raw
from tests.support.stored_state import now_ms
from worker.runtime import State

AHEAD = ["months", "micros", "nanos", "garbled", "highest"]


def id_of(state: State, kind: str) -> str:
    now = now_ms(state)
    return {
        "months": f"{now + 100 * DAY_MS}-0",
        "micros": f"{now * 1000}-0",
        "nanos": f"{now * 1_000_000}-0",
        "garbled": f"{2**53 // 100 + 1}-0",
        "highest": HIGHEST_ID,
    }[kind]


def poison(state: State, kind: str = "micros") -> None:
    """Put an event under an id from the future into the stream."""
    state.streams.first.create_group()
    publish_raw(state, b'{"session_id": "poison", "type": "activity"}', at=id_of(state, kind))


def read_and_apply(state: State, number: int = 3) -> None:
    for place in range(number):
        publish(state, event(session=f"s-{place}"))
    ingest_of(state).step()
