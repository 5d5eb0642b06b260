"""How the bench evaluates the reports of a technique, and their times."""

from collections import Counter

from bench.alternatives.noticing import ACTIVE, ENDS_AT_S, judged, schedule
from bench.alternatives.technique import SILENT_S

SENT = {"s-1": [10.0, 11.0, 12.0]}
KILLED_AT = 100.0


def test_delay_starts_when_silence_reached_its_threshold() -> None:
    verdict = judged(SENT, [(14.5, "s-1")], killed_at=KILLED_AT)
    assert list(verdict.delays) == [0.5]
    assert (verdict.lost, verdict.twice, verdict.active) == (0, 0, 0)


def test_unreported_session_is_lost_unless_a_person_decides() -> None:
    sent = SENT | {"s-2": [1.0], "s-3": [1.0]}
    verdict = judged(sent, [(14.5, "s-1")], ["s-3"], killed_at=KILLED_AT)
    assert (verdict.sessions, verdict.lost, verdict.in_doubt) == (3, 1, 1)


def test_a_session_that_was_reported_twice_counts_once_as_such() -> None:
    assert judged(SENT, [(14.5, "s-1"), (15.0, "s-1"), (16.0, "s-1")], killed_at=KILLED_AT).twice == 1


def test_a_report_while_its_session_was_active_is_wrong() -> None:
    assert judged(SENT, [(11.5, "s-1"), (14.1, "s-1")], killed_at=KILLED_AT).active == 1
    assert judged(SENT, [(12.0 + SILENT_S - 0.5, "s-1")], killed_at=KILLED_AT).active == 1
    assert judged(SENT, [(12.0 + SILENT_S, "s-1")], killed_at=KILLED_AT).active == 0


def test_delays_after_the_kill_are_not_counted() -> None:
    verdict = judged(SENT, [(104.0, "s-1")], killed_at=KILLED_AT)
    assert not verdict.delays
    assert verdict.latest == 90.0


def test_some_sessions_stay_active_and_others_fall_silent_late() -> None:
    events = schedule()
    last: dict[str, float] = {}
    for at, session in events:
        assert at - last.get(session, at) < SILENT_S / 2
        last[session] = at
    assert events == sorted(events)
    assert Counter(session.partition("-")[0] for session in last)["active"] == ACTIVE
    assert all(ENDS_AT_S - at < 1 for session, at in last.items() if session.startswith("active"))
