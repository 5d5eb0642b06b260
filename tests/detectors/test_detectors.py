from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from detectors.activity import ActivityEvent
from detectors.declined import DECLINED
from detectors.exit import EXIT
from detectors.flow import PLATFORMS, STAGES, EventType, Platform, Stage
from detectors.idle import IDLE
from detectors.kind import Kind
from detectors.pending import LAPSED, PENDING
from detectors.registry import KINDS
from detectors.sequence import (
    ACTIVITY_RANKS,
    KINDS_OF,
    PURCHASE_RANK,
    RANK_NAMES,
    RANK_SPAN,
    Position,
    position,
    stage_of,
)
from detectors.settings import DetectionSettings, PlatformThresholds, StageThresholds
from tasks.policy.reasons import REASONS

ARRIVAL_MS = 1_747_176_000_000  # 2025-05-13T22:40:00Z


def event(kind: EventType = "activity", **fields: Any) -> ActivityEvent:  # noqa: ANN401 - any field of the model
    return ActivityEvent(session_id="s", type=kind, **fields)


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def activity(ms: int, stage: Stage = "checkout", platform: Platform = "web") -> ActivityEvent:
    return event(occurred_at=at(ms), flow_stage=stage, platform=platform)


def kind_of(place: Position) -> Kind:
    return KINDS[place.signal % RANK_SPAN - ACTIVITY_RANKS]


# The kind of each silence.


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("activity", {}, IDLE),
        ("exit", {}, EXIT),
        ("payment_declined", {}, DECLINED),
        ("payment_pending", {}, PENDING),
        ("payment_pending", {"expires_at": at(ARRIVAL_MS)}, LAPSED),
    ],
)
def test_the_last_event_decides_of_which_kind_the_silence_is(
    kind: EventType, fields: dict[str, Any], expected: Kind
) -> None:
    assert kind_of(position(event(kind, **fields), ARRIVAL_MS)) is expected


def test_activity_with_its_stage_is_plain_silence() -> None:
    place = position(activity(ARRIVAL_MS), ARRIVAL_MS)
    assert place.signal == 0
    assert stage_of(place.activity) == ("checkout", "web")


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_begun_by_an_order_or_an_opt_out(kind: Kind) -> None:
    assert kind.begins_with not in {"order_completed", "opt_out"}


# The wait of each kind.

ON = DetectionSettings(exit=timedelta(minutes=2), declined=timedelta(minutes=3), pending=timedelta(hours=5))
OFF = DetectionSettings.model_validate({kind.setting: "off" for kind in KINDS if kind.setting})


@pytest.mark.parametrize(
    ("stage", "minutes"), [("product_selection", 45), ("cart_review", 30), ("checkout", 15), ("payment", 10)]
)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_idle_session_waits_by_its_stage(stage: Stage, minutes: int, platform: Platform) -> None:
    assert IDLE.wait(DetectionSettings(), stage, platform) == timedelta(minutes=minutes)


def test_a_platform_may_have_its_own_threshold_for_some_stages() -> None:
    own = DetectionSettings(
        idle=StageThresholds(checkout=timedelta(minutes=20)),
        idle_by_platform={"ios": PlatformThresholds(checkout=timedelta(minutes=7))},
    )
    assert IDLE.wait(own, "checkout", "ios") == timedelta(minutes=7)
    assert IDLE.wait(own, "checkout", "android") == timedelta(minutes=20)
    assert IDLE.wait(own, "payment", "ios") == timedelta(minutes=10)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.setting])
def test_disabled_kind_waits_like_any_other_silence(kind: Kind, stage: Stage, platform: Platform) -> None:
    own = OFF.model_copy(update={"idle_by_platform": {"ios": PlatformThresholds(payment=timedelta(minutes=1))}})
    assert kind.wait(own, stage, platform) == IDLE.wait(own, stage, platform)


@pytest.mark.parametrize("stage", STAGES)
def test_a_closed_page_waits_its_own_time_but_at_payment(stage: Stage) -> None:
    assert EXIT.wait(ON, stage, "web") == (timedelta(minutes=10) if stage == "payment" else timedelta(minutes=2))


@pytest.mark.parametrize("stage", STAGES)
def test_a_refused_payment_waits_its_own_time(stage: Stage) -> None:
    assert DECLINED.wait(ON, stage, "web") == timedelta(minutes=3)


@pytest.mark.parametrize("stage", STAGES)
def test_pending_payment_has_its_own_wait_until_it_expires(stage: Stage) -> None:
    assert PENDING.wait(ON, stage, "web") == timedelta(hours=5)
    assert LAPSED.wait(ON, stage, "web") == IDLE.wait(ON, stage, "web")


@pytest.mark.parametrize("settings", [OFF, ON, DetectionSettings()])
@pytest.mark.parametrize("kind", KINDS)
def test_reasons_not_to_contact_have_a_meaning(kind: Kind, settings: DetectionSettings) -> None:
    reason = kind.suppress_reason(settings)
    assert reason is None or kind.suppress_meanings[reason]
    assert kind.suppress_meanings.items() <= REASONS["suppressed"].items()


@pytest.mark.parametrize(("settings", "reason"), [(OFF, "declined_off"), (ON, None)])
def test_only_declined_payments_are_suppressed_and_only_when_off(settings: DetectionSettings, reason: str) -> None:
    own = (IDLE, EXIT, DECLINED, PENDING, LAPSED)
    assert [kind.suppress_reason(settings) for kind in own] == [None, None, reason, None, None]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gives_a_reason_for_the_request(kind: Kind, stage: Stage) -> None:
    assert kind.reason(stage).isidentifier()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (IDLE, "user_abandoned_checkout"),
        (EXIT, "user_left_checkout"),
        (DECLINED, "payment_declined"),
        (PENDING, "payment_not_completed"),
        (LAPSED, "payment_expired"),
    ],
)
def test_reason_for_the_request_names_what_happened(kind: Kind, reason: str) -> None:
    assert kind.reason("checkout") == reason


@pytest.mark.parametrize("kind", KINDS)
def test_setting_of_a_kind_is_checked_against_the_interval(kind: Kind) -> None:
    if kind.setting:
        with pytest.raises(ValidationError, match=kind.setting):
            DetectionSettings.model_validate({kind.setting: "6s", "sweep_interval": "7s"})


# The registry.


def test_kinds_keep_their_stored_ranks() -> None:
    assert [kind.name for kind in KINDS[:5]] == ["idle", "exit", "declined", "pending", "lapsed"]
    assert RANK_NAMES[:ACTIVITY_RANKS] == tuple(f"{stage}.{platform}" for stage in STAGES for platform in PLATFORMS)
    assert RANK_NAMES[ACTIVITY_RANKS:] == tuple(kind.name for kind in KINDS)
    assert len(RANK_NAMES) < PURCHASE_RANK - 1


def test_event_type_without_a_kind_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectors.sequence.KINDS_OF", {**KINDS_OF, "exit": KINDS_OF["activity"]})
    place = position(event("exit"), ARRIVAL_MS)
    assert (kind_of(place), place.seen_ms) == (IDLE, ARRIVAL_MS)


@pytest.mark.parametrize("of_type", get_args(EventType))
def test_every_event_type_ends_with_plain_silence(of_type: EventType) -> None:
    assert KINDS_OF[of_type][-1] == (ACTIVITY_RANKS, IDLE)
