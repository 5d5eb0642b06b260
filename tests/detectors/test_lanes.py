from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.flow import PLATFORMS, STAGES
from detectors.kind import idle_wait
from detectors.lanes import LANES, LANES_BY_NAME, CutOff, cut_offs, milliseconds
from detectors.registry import KINDS
from detectors.settings import DetectionSettings, PlatformThresholds, StageThresholds

NOW_MS = 1_747_176_000_000
MINUTE_MS = 60_000
LONGEST_MS = 24 * 60 * MINUTE_MS


def cuts(settings: DetectionSettings | None = None, **at_ms: int) -> dict[str, CutOff]:
    times = {"now_ms": NOW_MS, "watermark_ms": NOW_MS} | at_ms
    return {cut.lane: cut for cut in cut_offs(settings or DetectionSettings(), **times)}


def test_there_is_one_lane_for_each_stage_platform_and_kind() -> None:
    names = [lane.name for lane in LANES]
    assert len(set(names)) == len(names) == len(STAGES) * len(PLATFORMS) * len(KINDS)
    assert {tuple(name.split(".")) for name in names} == {
        (stage, platform, kind.name) for stage in STAGES for platform in PLATFORMS for kind in KINDS
    }
    assert all(LANES_BY_NAME[lane.name] is lane for lane in LANES)


def test_sweep_takes_sessions_silent_for_the_lane_threshold() -> None:
    found = cuts()
    assert set(found) == set(LANES_BY_NAME)
    assert found["checkout.web.idle"] == CutOff("checkout.web.idle", NOW_MS - 15 * MINUTE_MS, 15 * MINUTE_MS, None)
    assert found["payment.ios.pending"].silent_before_ms == NOW_MS - LONGEST_MS
    assert found["payment.web.declined"].suppress_reason == "declined_off"


def test_thresholds_differ_by_platform_when_configured() -> None:
    own = DetectionSettings(
        idle=StageThresholds(cart_review=timedelta(minutes=5)),
        idle_by_platform={"ios": PlatformThresholds(cart_review=timedelta(seconds=90))},
    )
    found = cuts(own)
    assert found["cart_review.ios.idle"].wait_ms == 90_000
    assert found["cart_review.web.idle"].wait_ms == 5 * MINUTE_MS
    assert found["cart_review.ios.exit"].wait_ms == 90_000  # off: ordinary silence


def test_what_is_switched_on_has_its_own_cut_off() -> None:
    found = cuts(
        DetectionSettings(exit=timedelta(minutes=2), declined=timedelta(minutes=3), pending=timedelta(hours=1))
    )
    assert found["checkout.web.exit"].wait_ms == 2 * MINUTE_MS
    assert found["payment.web.exit"].wait_ms == 10 * MINUTE_MS
    assert (found["payment.web.declined"].wait_ms, found["payment.web.declined"].suppress_reason) == (
        3 * MINUTE_MS,
        None,
    )
    assert found["payment.web.pending"].wait_ms == 60 * MINUTE_MS
    assert found["payment.web.lapsed"].wait_ms == 10 * MINUTE_MS


def test_silence_counts_up_to_the_first_unapplied_event() -> None:
    behind = cuts(watermark_ms=NOW_MS - 3 * MINUTE_MS)
    assert behind["checkout.web.idle"].silent_before_ms == NOW_MS - 18 * MINUTE_MS


def test_watermark_ahead_of_the_clock_shortens_no_silence() -> None:
    assert cuts(watermark_ms=NOW_MS + 60 * MINUTE_MS) == cuts()


@pytest.mark.parametrize(
    ("reopened_ago_ms", "may"),
    [(15 * MINUTE_MS, True), (15 * MINUTE_MS - 1, False), (0, False), (-MINUTE_MS, False), (LONGEST_MS, True)],
)
def test_after_a_hole_a_lane_rests_for_its_threshold(reopened_ago_ms: int, may: bool) -> None:  # noqa: FBT001 - a case
    found = cuts(reopened_ms=NOW_MS - reopened_ago_ms)
    assert ("checkout.web.idle" in found) is may


def test_the_rest_after_a_hole_is_measured_up_to_the_watermark() -> None:
    reopened = NOW_MS - 20 * MINUTE_MS
    assert "checkout.web.idle" in cuts(reopened_ms=reopened)
    assert "checkout.web.idle" not in cuts(reopened_ms=reopened, watermark_ms=NOW_MS - 6 * MINUTE_MS)


spans = st.integers(0, 3 * LONGEST_MS)


@given(behind=spans, reopened_ago=spans)
def test_session_is_not_taken_before_its_observed_silence(behind: int, reopened_ago: int) -> None:
    watermark, reopened = NOW_MS - behind, NOW_MS - reopened_ago
    for cut in cuts(watermark_ms=watermark, reopened_ms=reopened).values():
        observed_from = max(cut.silent_before_ms, reopened)
        lane = LANES_BY_NAME[cut.lane]
        heard_of_ms = milliseconds(idle_wait(DetectionSettings(), lane.stage, lane.platform))
        assert cut.silent_before_ms == watermark - cut.wait_ms
        assert watermark - observed_from >= min(cut.wait_ms, heard_of_ms)


def test_long_wait_is_checked_soon_after_a_gap() -> None:
    hours = 3_600_000
    found = cuts(reopened_ms=NOW_MS - hours)
    assert "payment.web.pending" in found
    assert found["payment.web.pending"].silent_before_ms == NOW_MS - 24 * hours


def test_milliseconds_are_whole_and_round_down() -> None:
    assert milliseconds(timedelta(seconds=1.5, microseconds=999)) == 1500
