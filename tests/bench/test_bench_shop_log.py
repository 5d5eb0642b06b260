"""The log that the benches read: always the same, with the gaps of a real shop."""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median

from bench.shop_log import STAGES, Logged, shop_log
from detectors.parsing import parse

ENDS_MS = 1_764_000_000_000
LOG = shop_log(3000, 30_000, ends_ms=ENDS_MS)


def by_session() -> dict[str, list[Logged]]:
    found = defaultdict(list)
    for logged in LOG:
        found[str(logged.event["session_id"])].append(logged)
    return found


def test_the_same_log_is_made_again() -> None:
    assert shop_log(3000, 30_000, ends_ms=ENDS_MS) == LOG
    assert shop_log(3000, 30_000, ends_ms=ENDS_MS, seed=2) != LOG


def test_events_are_ordered_and_end_on_time() -> None:
    assert len(LOG) == 30_000
    assert LOG[-1].at_ms == ENDS_MS
    assert [logged.at_ms for logged in LOG] == sorted(logged.at_ms for logged in LOG)


def test_gaps_have_the_median_and_decile_of_a_real_shop() -> None:
    gaps = sorted(
        (after.at_ms - before.at_ms) / 1000 for events in by_session().values() for before, after in pairwise(events)
    )
    assert 62 <= median(gaps) <= 68
    assert 455 <= gaps[len(gaps) * 9 // 10] <= 503
    assert gaps[-1] <= 1800.001


def test_sessions_vary_in_length_and_follow_the_flow() -> None:
    sessions = by_session()
    lengths = Counter(len(events) for events in sessions.values())
    assert len(sessions) == 3000
    assert lengths[1] > 200
    assert max(lengths) > 40
    for events in sessions.values():
        places = [STAGES.index(str(logged.event["flow_stage"])) for logged in events]
        assert places == sorted(places)


def test_a_tenth_of_shoppers_is_identified_from_the_fourth_event() -> None:
    known = {session for session, events in by_session().items() if any("customer" in one.event for one in events)}
    assert 150 <= len(known) <= 300
    for session in known:
        said = ["customer" in logged.event for logged in by_session()[session]]
        assert said == [index >= 3 for index in range(len(said))]


def test_ingest_reads_every_event_with_its_arrival_time() -> None:
    for logged in LOG[:2000]:
        event, problems, _ = parse(logged.line.encode())
        assert not problems
        assert event is not None
        assert event.occurred_at is not None
        assert event.occurred_at.timestamp() * 1000 == logged.at_ms == int(logged.entry_id.removesuffix("-*"))
        assert json.loads(logged.line) == logged.event
