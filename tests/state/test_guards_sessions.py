"""Guards of claims, supersessions and announcements, each with its own test."""

from dataclasses import replace

from state import deployment
from state.calls import sessions as lua
from state.decisions import Operator
from state.keys import HEARTBEAT_TTL_MS
from state.partitions import partition_of
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.outreaches import abandon, dispatch, take, taken
from tests.support.passing_time import let_backoff_pass
from tests.support.stored_state import now_ms, stored, texts, ttl_ms
from worker.runtime import State


def test_claim_is_above_the_last_one_though_the_clock_was_ahead(state: State) -> None:
    held, ahead = taken(state), now_ms(state) + HOUR_MS
    state.client.hset(state.keys.outreach(held.outreach), "token", ahead)
    assert state.outbox.postpone(replace(held, token=ahead), delay_ms=0, why="")
    let_backoff_pass(state, held.outreach)
    assert held.outreach in dispatch(state)
    assert take(state, held.outreach).token == ahead + 1


def test_claim_is_not_below_the_clock(state: State) -> None:
    before_ms = now_ms(state)
    assert before_ms <= taken(state).token <= now_ms(state)


def forgotten(state: State, session: str) -> None:
    state.scripts.run(lua.forget(state.keys.partition(partition_of(session)), session, "", ""))


def test_forgotten_session_inherits_nothing(state: State) -> None:
    happen(state, event(session="old", customer=JANE), ago_ms=MINUTE_MS)
    happen(state, event(session="new"), ago_ms=MINUTE_MS)
    forgotten(state, "new")
    before = texts(state, state.keys.session("new"))
    mark = state.sessions.supersede("old", "new", now_ms(state) * 100)
    assert texts(state, state.keys.session("new")) == before
    assert (mark.phone, mark.superseded_by) == ("", "")


def test_forgotten_session_hands_nothing_over(state: State) -> None:
    happen(state, event(session="old", customer=JANE), ago_ms=MINUTE_MS)
    happen(state, event(session="new"), ago_ms=MINUTE_MS)
    forgotten(state, "old")
    before = texts(state, state.keys.session("old"))
    state.sessions.supersede("old", "new", now_ms(state) * 100)
    assert texts(state, state.keys.session("old")) == before
    assert stored(state, "old").state == "forgotten"


def test_session_known_only_from_a_takeover_has_a_ttl(state: State) -> None:
    happen(state, event(session="old", customer=JANE), ago_ms=MINUTE_MS)
    state.sessions.supersede("old", "new", now_ms(state) * 100)
    assert ttl_ms(state, state.keys.session("new")) is not None


def test_inherited_fields_leave_an_open_outreach_its_session(state: State) -> None:
    happen(state, event(session="old", customer=JANE), ago_ms=MINUTE_MS)
    abandon(state)
    state.sessions.supersede("old", "s-1", now_ms(state) * 100)
    assert ttl_ms(state, state.keys.session("s-1")) is None


def test_process_that_was_silent_for_a_day_is_not_listed(state: State) -> None:
    key = state.keys.heartbeat("ingest")
    recent_ms = now_ms(state) - HEARTBEAT_TTL_MS + MINUTE_MS
    state.client.hset(key, mapping={"old:1": recent_ms - 2 * MINUTE_MS, "recent:1": recent_ms})
    deployment.heartbeat(state.scripts, state.keys, "ingest")
    found = [beat.process for beat in deployment.heartbeats(state.scripts, state.keys, "ingest")]
    assert len(found) == 2
    assert "recent:1" in found


def test_outreach_with_an_expired_record_cannot_be_decided(state: State) -> None:
    decides, gone = Operator(state.scripts, state.keys), "07-0123456789abcdef"
    for decide_about in (decides.drop, decides.expire, decides.resolve_sent, decides.retry_dead):
        assert [(one.word, one.detail) for one in decide_about([gone])] == [("gone", "")]
