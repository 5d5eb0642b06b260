"""A queue that workers don't empty is recorded with its beginning, and reported after ten seconds."""

from dataclasses import replace

import pytest

from state.backlog import Backlog, DispatchHold, read_dispatch_hold
from state.keys import BACKLOG_TTL_MS
from tests.support.cli_support import make_healthy, read
from tests.support.durations import SECOND_MS
from tests.support.stored_state import now_ms, texts, ttl_ms
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.monitoring.metrics import metrics
from worker.runtime import State
from worker.settings import Settings


def test_backlog_keeps_its_beginning_until_it_is_over(state: State) -> None:
    noted = Backlog(state.scripts, state.keys)
    noted.note(40)
    began_ms = now_ms(state)
    state.client.hset(state.keys.backlog, "since", began_ms - 7)
    noted.note(30)
    assert read_dispatch_hold(texts(state, state.keys.backlog)) == DispatchHold(30, began_ms - 7)
    assert ttl_ms(state, state.keys.backlog) in range(BACKLOG_TTL_MS - 5000, BACKLOG_TTL_MS + 1)
    noted.note(0)
    assert read_dispatch_hold(texts(state, state.keys.backlog)) is None


def test_first_round_of_a_process_ends_the_backlog_of_another(state: State) -> None:
    Backlog(state.scripts, state.keys).note(40)
    Backlog(state.scripts, state.keys).note(0)
    assert read_dispatch_hold(texts(state, state.keys.backlog)) is None


@pytest.mark.xdist_group("valkey")
def test_backlog_is_an_alarm_after_ten_seconds(real_state: State) -> None:
    make_healthy(real_state)
    found = read(real_state)
    since = {seconds: DispatchHold(30_000, found.now_ms - seconds * SECOND_MS) for seconds in (9, 10)}
    early, late = (health.findings(replace(found, backlog=since[seconds]), Settings()) for seconds in (9, 10))
    assert "queue" not in failing(early)
    text = "30,000 messages wait for workers, so no outreach has been dispatched for 10 s"
    assert (failing(late)["queue"].mark, failing(late)["queue"].text) == ("fail", text)


@pytest.mark.xdist_group("valkey")
def test_backlog_is_a_metric(real_state: State) -> None:
    found = read(real_state)
    for held, value in ((None, 0), (DispatchHold(7, found.now_ms), 7)):
        shown = {family.name: family for family in metrics(replace(found, backlog=held), [], Settings())}
        assert shown["winback_messages_waiting"].samples[0].value == value
