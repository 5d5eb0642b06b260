import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import detectors
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
    PURCHASE_RANK,
    RANK_NAMES,
    RANK_SPAN,
    Position,
    position,
    stage_of,
)
from detectors.settings import DetectionSettings, PlatformThresholds, StageThresholds

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
OFF = DetectionSettings(exit=None, declined=None, pending=None)


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
@pytest.mark.parametrize("kind", KINDS)
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


def test_only_declined_payments_are_suppressed_and_only_when_off() -> None:
    assert [kind.suppress_reason(OFF) for kind in KINDS] == [None, None, "declined_off", None, None]
    assert [kind.suppress_reason(ON) for kind in KINDS] == [None] * 5
    assert [kind.suppress_reason(DetectionSettings()) for kind in KINDS] == [None, None, "declined_off", None, None]


@pytest.mark.parametrize("stage", STAGES)
def test_each_kind_gives_its_own_reason(stage: Stage) -> None:
    assert [kind.reason(stage) for kind in KINDS] == [
        f"user_abandoned_{stage}",
        f"user_left_{stage}",
        "payment_declined",
        "payment_not_completed",
        "payment_expired",
    ]


# The registry.


def test_kinds_keep_their_stored_ranks() -> None:
    assert [kind.name for kind in KINDS[:5]] == ["idle", "exit", "declined", "pending", "lapsed"]
    assert RANK_NAMES[:ACTIVITY_RANKS] == tuple(f"{stage}.{platform}" for stage in STAGES for platform in PLATFORMS)
    assert RANK_NAMES[ACTIVITY_RANKS:] == tuple(kind.name for kind in KINDS)
    assert len(RANK_NAMES) < PURCHASE_RANK - 1


A_NEW_KIND = '''"""A full cart that was left by closing the page."""

from datetime import timedelta

from detectors.kind import Kind

BIG_EXIT = Kind(
    name="big_exit",
    begins_with="exit",
    only_if=lambda event: bool(event.cart and (event.cart.total_value or 0) >= 500),
    wait=lambda _settings, _stage, _platform: timedelta(minutes=1),
    reason=lambda stage: f"big_cart_left_at_{stage}",
)
'''
WHAT_BECAME_OF_IT = """
import json
from detectors.activity import ActivityEvent
from detectors.lanes import LANES_BY_NAME, cut_offs
from detectors.sequence import RANK_NAMES, RANK_SPAN, position
from detectors.settings import DetectionSettings
import detectors

def kind_of(total):
    event = ActivityEvent(session_id="s", type="exit", cart={"total_value": total})
    return RANK_NAMES[position(event, 10**12).signal % RANK_SPAN]

lane = LANES_BY_NAME["checkout.web.big_exit"]
cut = {cut.lane: cut for cut in cut_offs(DetectionSettings(), now_ms=10**12, watermark_ms=10**12)}[lane.name]
print(json.dumps([detectors.__file__, kind_of(499), kind_of(500), cut.wait_ms, lane.kind.reason(lane.stage)]))
"""


def test_a_new_kind_is_one_small_file_and_a_line_in_the_registry(tmp_path: Path) -> None:
    package = tmp_path / "detectors"
    shutil.copytree(Path(detectors.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "big_exit.py").write_text(A_NEW_KIND)
    registry = (package / "registry.py").read_text()
    registry = registry.replace("    LAPSED,\n", "    LAPSED,\n    BIG_EXIT,\n")
    (package / "registry.py").write_text(
        registry.replace("from detectors.exit", "from detectors.big_exit import BIG_EXIT\nfrom detectors.exit")
    )

    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WHAT_BECAME_OF_IT],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert not done.stderr
    assert json.loads(done.stdout) == [
        str(package / "__init__.py"),
        "exit",
        "big_exit",
        60_000,
        "big_cart_left_at_checkout",
    ]
