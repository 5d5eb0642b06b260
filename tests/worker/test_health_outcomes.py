"""What `winback status`, `doctor` and the metrics report of the outcome feed and the webhooks."""

import pytest

from state.outcome_feed import FeedEntry
from state.webhooks import SenderReport, Webhooks
from tasks.outcomes.settings import OutcomeSettings
from tests.support.cli_support import make_healthy, read
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.feed import feed_of
from tests.support.shown_metrics import show
from tests.support.stored_state import now_ms
from winback.cli.outcome_lines import outcome_lines
from worker.monitoring import health
from worker.monitoring.alarms import failing
from worker.monitoring.finding import Finding
from worker.runtime import State
from worker.settings import Settings

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def found(state: State, name: str, settings: Settings | None = None) -> list[Finding]:
    return [one for one in health.findings(read(state), settings or Settings()) if one.name == name]


def change(state: State, key: str, **fields: object) -> None:
    for name, value in fields.items():
        state.client.hset(key, name, str(value))


def sent(state: State, **more: object) -> None:
    feed_of(state).check(0)
    Webhooks(state.scripts, state.keys).report(SenderReport(sent=3, **more))  # type: ignore[arg-type]


def test_deployment_without_a_feed_has_no_finding(healthy: State) -> None:
    healthy.client.delete(healthy.keys.feed)
    assert found(healthy, "feed") == found(healthy, "webhooks") == []
    assert [*outcome_lines(read(healthy))] == []


def test_feed_and_webhooks_that_work_are_well(healthy: State) -> None:
    feed_of(healthy).append([FeedEntry("id-1", "{}"), FeedEntry("id-2", "{}")], most=1000)
    assert len(Webhooks(healthy.scripts, healthy.keys).read(1)) == 1
    sent(healthy)
    assert [(one.mark, one.text) for one in found(healthy, "feed")] == [("ok", "2 outcomes; winback-webhooks 1 unread")]
    assert [(one.mark, one.text) for one in found(healthy, "webhooks")] == [("ok", "3 sent, 1 wait")]
    assert dict(outcome_lines(read(healthy))) == {
        "feed": "2 outcomes; winback-webhooks has 1 to read",
        "webhooks": "3 sent, 0 in memory",
    }


def test_relay_that_stopped_fires_an_alarm(healthy: State) -> None:
    feed_of(healthy).check(0)
    change(healthy, healthy.keys.feed, at=now_ms(healthy) - 2 * MINUTE_MS)
    (finding,) = found(healthy, "feed")
    assert finding.text.startswith("no outcome has reached the feed for 2 min")
    assert "feed" in failing(health.findings(read(healthy), Settings()))


def test_lost_outcomes_fire_an_alarm_for_a_day(healthy: State) -> None:
    feed_of(healthy).check(7)
    assert found(healthy, "feed")[0].text.startswith("7 outcomes are missing from the feed")
    change(healthy, healthy.keys.feed, lost_at=now_ms(healthy) - DAY_MS - 1)
    assert found(healthy, "feed")[0].mark == "ok"


def test_consumer_that_missed_entries_fires_an_alarm(healthy: State) -> None:
    feed, key = feed_of(healthy), healthy.keys.outcomes
    feed.append([FeedEntry(f"id-{number}", "{}") for number in range(5)], most=1000)
    healthy.client.xgroup_create(key, "mail", id="0")
    healthy.client.xreadgroup("mail", "one", {key: ">"}, count=1)
    healthy.client.xtrim(key, maxlen=1, approximate=False)
    feed.check(0)
    (finding,) = found(healthy, "feed")
    assert finding.mark == "fail"
    assert "mail (3)" in finding.text


@pytest.mark.parametrize(
    ("report", "fields", "mark", "words"),
    [
        ({"gone": True}, {}, "fail", "410 Gone"),
        ({}, {"at": -2 * MINUTE_MS}, "fail", "has not reported for 2 min"),
        ({"dropped": 2}, {}, "fail", "2 outcomes were never accepted"),
        ({"why": "http_500"}, {"failing_since": -6 * MINUTE_MS}, "fail", "failed for 6 min (http_500)"),
        ({"why": "http_500"}, {}, "ok", "3 sent, 0 wait; the last request failed (http_500)"),
        ({"stops": True}, {"at": -2 * MINUTE_MS}, "note", "was stopped"),
        ({"waiting": 4}, {"oldest": -HOUR_MS}, "warn", "60 min behind; 4 outcomes wait"),
    ],
)
def test_webhooks_have_one_finding(
    healthy: State, report: dict[str, object], fields: dict[str, int], mark: str, words: str
) -> None:
    sent(healthy, **report)
    change(healthy, healthy.keys.webhooks, **{name: now_ms(healthy) + ago for name, ago in fields.items()})
    (finding,) = found(healthy, "webhooks")
    assert finding.mark == mark
    assert words in finding.text


def test_url_without_a_sender_is_reported(healthy: State) -> None:
    settings = Settings(outcomes=OutcomeSettings(webhook_url="https://shop.example/"))
    assert [one.mark for one in found(healthy, "webhooks", settings)] == ["warn"]


def test_metrics_have_the_feed_and_the_webhooks(healthy: State) -> None:
    feed_of(healthy).append([FeedEntry("id-1", "{}"), FeedEntry("id-2", "{}")], most=1000)
    Webhooks(healthy.scripts, healthy.keys).read(1)
    sent(healthy, waiting=1, oldest_ms=now_ms(healthy) - MINUTE_MS)
    shown = show(healthy)
    assert shown.value("winback_feed_entries") == 2
    assert shown.value("winback_feed_unread", group="winback-webhooks") == 1
    assert shown.value("winback_feed_missed", group="winback-webhooks") == 0
    assert shown.value("winback_feed_moved_seconds") < 60
    assert shown.value("winback_feed_lost_total") == 0
    assert shown.value("winback_webhooks_sent_total") == 3
    assert shown.value("winback_webhooks_waiting") == 1
    assert 60 <= shown.value("winback_webhooks_oldest_seconds") < 120
    assert shown.value("winback_webhooks_refused") == 0
