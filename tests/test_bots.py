"""Bots: more events in a minute than a human being makes."""

from detectors.sequence import RANK_SPAN
from state.sessions import Change
from tests.helpers import event, stored
from tests.ingesting import ingest_of, publish
from worker.bots import MINUTE_MS, BotWatch
from worker.runtime import State

AT_MS = 1_747_176_000_000


def changes(session: str, number: int) -> list[Change]:
    return [Change(session, n, n, 0, 0, n // RANK_SPAN, {"name": "J"}) for n in range(number)]


def found(watch: BotWatch, made: list[Change], at_ms: int = AT_MS) -> list[bool]:
    return [change.fields.get("bot") == "1" for change in watch.mark(made, at_ms)]


def test_as_many_events_as_the_setting_allows_are_a_human_beings() -> None:
    watch = BotWatch(3)
    assert found(watch, changes("s", 3)) == [False] * 3
    assert found(watch, changes("s", 1)) == [True]
    assert found(watch, changes("other", 3)) == [False] * 3


def test_what_the_event_said_stays() -> None:
    (marked,) = BotWatch(0).mark(changes("s", 1), AT_MS)
    assert marked.fields == {"name": "J", "bot": "1"}


def test_every_minute_is_counted_anew() -> None:
    watch = BotWatch(3)
    for minute in range(5):
        assert found(watch, changes("s", 3), AT_MS + minute * MINUTE_MS) == [False] * 3


def test_off_finds_nobody() -> None:
    assert found(BotWatch(None), changes("s", 1000)) == [False] * 1000


def test_ingest_says_so_in_the_session(state: State) -> None:
    ingest = ingest_of(state, bot_events=5)
    publish(state, *(event(session=session) for session in ["bot"] * 6 + ["human"] * 2))
    ingest.step()
    assert stored(state, "bot").fields["bot"] == "1"
    assert "bot" not in stored(state, "human").fields
