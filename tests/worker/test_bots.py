"""Bots: more events in a minute than a human makes."""

from detectors.sequence import RANK_SPAN
from state.sessions import Change
from tests.support.events import event
from tests.support.ingest_support import ingest_of, publish
from tests.support.stored_state import stored
from worker.ingest.bots import BotWatch
from worker.runtime import State


def changes(session: str, number: int) -> list[Change]:
    return [Change(session, n, n, 0, 0, n // RANK_SPAN, {"name": "J"}) for n in range(number)]


def found(watch: BotWatch, made: list[Change], minute: int = 7) -> list[bool]:
    return [change.fields.get("bot") == "1" for change in watch.mark(made, [minute] * len(made))]


def test_as_many_events_as_the_setting_allows_are_a_human_beings() -> None:
    watch = BotWatch(3)
    assert found(watch, changes("s", 3)) == [False] * 3
    assert found(watch, changes("s", 1)) == [True]
    assert found(watch, changes("other", 3)) == [False] * 3


def test_bot_mark_of_the_event_is_kept() -> None:
    (marked,) = BotWatch(0).mark(changes("s", 1), [7])
    assert marked.fields == {"name": "J", "bot": "1"}


def test_every_minute_is_counted_from_zero() -> None:
    watch = BotWatch(3)
    for minute in range(5):
        assert found(watch, changes("s", 3), minute) == [False] * 3


def test_a_batch_that_spans_minutes_is_counted_minute_by_minute() -> None:
    made = changes("s", 12)
    assert not any("bot" in change.fields for change in BotWatch(3).mark(made, [n // 3 for n in range(12)]))
    assert sum("bot" in change.fields for change in BotWatch(3).mark(made, [n // 4 for n in range(12)])) == 12


def test_disabled_detection_finds_no_bot() -> None:
    assert found(BotWatch(None), changes("s", 1000)) == [False] * 1000


def test_ingest_marks_the_session(state: State) -> None:
    ingest = ingest_of(state, bot_events_per_minute=5)
    publish(state, *(event(session=session) for session in ["bot"] * 6 + ["human"] * 2))
    ingest.step()
    assert stored(state, "bot").fields["bot"] == "1"
    assert "bot" not in stored(state, "human").fields
