"""The sweep claims sessions that have been silent for too long, as far as this is certain."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from detectors.settings import DetectionSettings, StageThresholds
from state.claims import Claimed
from state.errors import ServerUnavailableError
from state.partitions import partition_of
from state.script import NamedCall
from tasks.deps import Deps
from tasks.sweep import sweep
from tests.support.attempts import deps_of
from tests.support.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import JANE, event, happen
from tests.support.stored_state import counters, now_ms, stored
from worker.runtime import State

NOTHING = Claimed(0, 0)


def deps(state: State, **detection: Any) -> Deps:  # noqa: ANN401 - any setting of detection
    settings = DetectionSettings(**detection)
    return replace(deps_of(state), detection=lambda: settings)


def silent(state: State, minutes: float, session: str = "s-1", **fields: Any) -> None:  # noqa: ANN401 - any of an event
    """Let a reachable shopper, last active at checkout, be silent for this long."""
    happen(state, event(session=session, customer=JANE, **fields), ago_ms=int(minutes * MINUTE_MS))


@pytest.mark.parametrize(("minutes", "outreaches"), [(14.9, 0), (15, 1), (16, 1)])
def test_a_session_is_claimed_when_its_threshold_has_passed(state: State, minutes: float, outreaches: int) -> None:
    silent(state, minutes)
    assert sweep(deps(state)) == Claimed(outreaches, outreaches)
    assert sweep(deps(state)) == NOTHING


def test_all_partitions_are_swept(state: State) -> None:
    for index in range(20):
        silent(state, 16, f"s-{index}")
    assert len({partition_of(f"s-{index}") for index in range(20)}) > 10
    assert sweep(deps(state)) == Claimed(20, 20)


def test_a_session_without_a_phone_number_is_settled_on_the_spot(state: State) -> None:
    happen(state, event(customer={"full_name": "Jane"}), ago_ms=HOUR_MS)
    assert sweep(deps(state)) == Claimed(1, 0)
    assert stored(state).state == "unreachable"


def test_what_is_too_old_is_settled_as_expired(state: State) -> None:
    silent(state, 73 * 60)
    assert sweep(deps(state)) == Claimed(1, 0)
    assert counters(state) == {"expired.too_old": 1}


def test_changed_threshold_counts_for_waiting_sessions(state: State) -> None:
    silent(state, 5)
    assert sweep(deps(state)) == NOTHING
    assert sweep(deps(state, idle=StageThresholds(checkout=timedelta(minutes=4)))) == Claimed(1, 1)


def test_one_version_of_the_settings_holds_for_the_whole_sweep(state: State) -> None:
    """A second read would return other settings: the sweep must not see them."""
    silent(state, 16, "s-1")
    silent(state, 16, "s-2", stage="payment")
    versions = [DetectionSettings(), DetectionSettings(idle=StageThresholds(payment=timedelta(hours=9)))]
    asked = replace(deps_of(state), detection=lambda: versions.pop(0))
    assert sweep(asked) == Claimed(2, 2)
    assert len(versions) == 1


# Silence is measured up to the last applied event.


def test_unapplied_event_blocks_all_claims(state: State) -> None:
    silent(state, 16)
    unread = state.client.xadd(state.keys.events, {"event": "{}"}, id=f"{now_ms(state) - 2 * MINUTE_MS}-0")
    assert sweep(deps(state)) == NOTHING
    state.client.xdel(state.keys.events, unread)
    assert sweep(deps(state)) == Claimed(1, 1)


def test_session_silent_before_the_unread_event_is_claimed(state: State) -> None:
    silent(state, 18)
    state.client.xadd(state.keys.events, {"event": "{}"}, id=f"{now_ms(state) - 2 * MINUTE_MS}-0")
    assert sweep(deps(state)) == Claimed(1, 1)


def signs(state: State, *apart_s: float, last_s: float) -> None:
    """Record that events could be taken, at these intervals, and the last time this long ago."""
    apart = " ".join(str(int(seconds * SECOND_MS)) for seconds in apart_s)
    sign = int(now_ms(state) - last_s * SECOND_MS)
    state.client.hset(state.keys.sweep, mapping={"sign": sign, "apart": apart, "last": sign})


@pytest.mark.parametrize("interval_s", [1, 5, 300])
@pytest.mark.parametrize(
    ("usual_s", "pause_s", "is_gap"),
    [(0.2, 14, False), (0.2, 16, True), (5, 14, False), (5, 16, True), (20, 59, False), (20, 62, True)],
)
def test_a_gap_is_measured_against_the_real_pace(
    state: State, interval_s: int, usual_s: float, pause_s: float, *, is_gap: bool
) -> None:
    """With any settings, before and after an edit."""
    silent(state, 16)
    signs(state, *[usual_s] * 5, last_s=pause_s)
    found = sweep(deps(state, sweep_interval=timedelta(seconds=interval_s)))
    assert found == (NOTHING if is_gap else Claimed(1, 1))


def test_a_gap_among_usual_pauses_does_not_hide_the_next(state: State) -> None:
    silent(state, 16)
    signs(state, 5, 5, 720, 5, 720, last_s=60)
    assert sweep(deps(state)) == NOTHING


@pytest.mark.parametrize(("before_s", "after_s"), [(20, 1), (1, 20), (5, 300), (300, 5)])
def test_claims_go_on_after_the_pace_of_sweeps_changed(state: State, before_s: int, after_s: int) -> None:
    """At most five sweeps at a slower pace count as gaps."""
    signs(state, *[before_s] * 9, last_s=after_s)
    for _ in range(6):
        sweep(deps(state, sweep_interval=timedelta(seconds=after_s)))
        state.client.hincrby(state.keys.sweep, "sign", -after_s * SECOND_MS)
    reopened = int(state.client.hget(state.keys.sweep, "reopened") or 0)
    state.client.hset(state.keys.sweep, "reopened", max(0, reopened - 16 * MINUTE_MS))
    silent(state, 16)
    assert sweep(deps(state, sweep_interval=timedelta(seconds=after_s))) == Claimed(1, 1)


def test_a_long_claim_is_no_gap(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[int] = []
    monkeypatch.setattr(state.streams, "confirm_writable", lambda: said.append(1))
    silent(state, 16)
    sweep(deps(state))
    assert said


def test_a_server_of_a_stream_that_is_away_gives_no_sign(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    really: Callable[..., Any] = state.scripts.run_many

    def away(calls: list[NamedCall]) -> object:
        if calls[0].name == "watermark":
            raise ServerUnavailableError("away")
        return really(calls)

    monkeypatch.setattr(state.scripts, "run_many", away)
    with pytest.raises(ServerUnavailableError):
        state.streams.confirm_writable()
    assert state.client.hget(state.keys.sweep, "sign") is None


def test_after_a_hole_silence_is_measured_from_the_reopening(state: State) -> None:
    silent(state, 60)
    signs(state, last_s=3600)
    assert sweep(deps(state)) == NOTHING
    reopened = int(state.client.hget(state.keys.sweep, "reopened") or 0)
    assert abs(reopened - now_ms(state)) < MINUTE_MS
    state.client.hset(state.keys.sweep, "reopened", reopened - 16 * MINUTE_MS)
    assert sweep(deps(state)) == Claimed(1, 1)


def test_the_first_sweep_of_all_finds_no_hole(state: State) -> None:
    silent(state, 16)
    assert state.client.hget(state.keys.sweep, "sign") is None
    assert sweep(deps(state)) == Claimed(1, 1)


# The other kinds of silence.


def then(state: State, kind: str, minutes: float, **fields: Any) -> None:  # noqa: ANN401 - any of an event
    """Add another event to the same session, this many minutes ago."""
    silent(state, minutes + 1)
    happen(state, event(kind, stage=None, **fields), ago_ms=int(minutes * MINUTE_MS))


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


ON: dict[str, Any] = {"exit": timedelta(minutes=2), "declined": timedelta(minutes=3), "pending": timedelta(hours=1)}


@pytest.mark.parametrize(
    ("kind", "minutes", "on", "off"),
    [
        ("exit", 3, Claimed(1, 1), NOTHING),
        ("exit", 16, Claimed(1, 1), Claimed(1, 1)),
        ("payment_declined", 4, Claimed(1, 1), NOTHING),
        ("payment_declined", 16, Claimed(1, 1), Claimed(1, 0)),
        ("payment_pending", 16, NOTHING, Claimed(1, 1)),
        ("payment_pending", 61, Claimed(1, 1), Claimed(1, 1)),
    ],
)
def test_each_kind_waits_for_its_setting(state: State, kind: str, minutes: float, on: Claimed, off: Claimed) -> None:
    for settings, expected in ((ON, on), (dict.fromkeys(ON, None), off)):
        then(state, kind, minutes)
        assert sweep(deps(state, **settings)) == expected
        state.client.flushall()


def test_suppressed_declined_payment_is_recorded(state: State) -> None:
    then(state, "payment_declined", 16)
    assert sweep(deps(state)) == Claimed(1, 0)
    assert counters(state) == {"suppressed.declined_off": 1}


@pytest.mark.parametrize(("expired_minutes_ago", "outreaches"), [(-600, 0), (14, 0), (16, 1), (23 * 60, 1)])
def test_voucher_waits_for_its_expiry_and_the_usual_time(
    state: State, expired_minutes_ago: float, outreaches: int
) -> None:
    then(state, "payment_pending", 24 * 60, expires_at=in_minutes(-expired_minutes_ago))
    assert sweep(deps(state)) == Claimed(outreaches, outreaches)


def test_failed_sweep_is_completed_by_the_next(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    silent(state, 16)
    really: Callable[..., Any] = state.scripts.run_many

    def carried_out_unheard(calls: list[NamedCall]) -> object:
        found = really(calls)
        if calls[0].name == "claim":
            raise ConnectionError("the answer is lost")
        return found

    with monkeypatch.context() as broken:
        broken.setattr(state.scripts, "run_many", carried_out_unheard)
        with pytest.raises(ConnectionError):
            sweep(deps(state))
    assert sweep(deps(state)) == NOTHING
    assert len(state.outbox.lease_due(9, now_ms=now_ms(state), barrier="0-0")) == 1
