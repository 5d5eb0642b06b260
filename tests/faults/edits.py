"""Fault 24: every setting of `[detection]` changed while running, and files damaged in every way."""

import os
import time
from collections.abc import Mapping

from state import overview
from tests.faults.fault import USUAL, Fault, Scene
from tests.faults.shop import THRESHOLD_S
from tests.faults.system import STAGES
from worker.monitoring import health

READ_S = 0.6
"""Three sweeps, each of which reads the file."""
WEB_S = 3.0
"""The threshold that a damaged file would lose."""

Values = tuple[str, str, str]
"""The initial and final value of a setting, a lower value and a higher one."""
TOP: Mapping[str, Values] = {
    "exit": ('"off"', '"300ms"', '"2s"'),
    "declined": ('"off"', '"300ms"', '"2s"'),
    "pending": ('"24h"', '"1s"', '"off"'),
    "max_silence": ('"off"', '"2s"', '"1h"'),
    "orders_stopped": ('"alarm"', '"off"', '"hold"'),
    "max_abandonment_age": ('"3d"', '"1m"', '"30d"'),
}
IDLE: Values = (f'"{THRESHOLD_S:.0f}s"', '"600ms"', '"1500ms"')


def every_setting(scene: Scene) -> None:
    """Change one setting after the other to a lower value, a higher one and back, while shoppers arrive."""
    system = scene.system
    names = [*TOP, *(f"idle.{stage}" for stage in STAGES), *(f"idle_by_platform.web.{stage}" for stage in STAGES)]
    _write(scene, _text({}))
    scene.open(60, over_s=10.0)
    for name in scene.random.sample(names, 5):
        for place in scene.random.sample((1, 2), 2):
            _write(scene, _text({name: place}))
            _while(scene, READ_S)
    _write(scene, _text({}))
    _while(scene, READ_S)
    scene.expect(not system.said("detection_settings_unusable"), "an edit was refused")


def damaged(scene: Scene) -> None:
    """Truncate the file, empty, remove and nest it, and fill it with garbage: the earlier thresholds stay in force."""
    system = scene.system
    web = "\n".join(f'{stage} = "{WEB_S:.0f}s"' for stage in STAGES)
    whole = _text({}).partition("[detection.idle_by_platform.web]")[0] + f"[detection.idle_by_platform.web]\n{web}\n"
    cut = scene.random.randrange(len(whole) // 2, len(whole) - 3)
    damages: list[bytes | None] = [
        whole[:cut].encode(),
        whole.partition("[detection.idle_by_platform.web]")[0].encode(),
        b"",
        None,
        b"detection = " + b"[" * 5_000 + b"]" * 5_000,
        b"\0\xff" * 4_096,
        b"#" * 2**21,
    ]
    _write(scene, whole)
    _while(scene, READ_S)
    scene.random.shuffle(damages)
    for damage in damages:
        scene.open(8, over_s=0.3, kinds=(("leaves", 1),))
        _write_bytes(scene, damage)
        system.until(lambda: _thresholds(scene) == "fail", 10, "the alarm on the thresholds")
        _while(scene, 0.5)
        _write(scene, whole)
        system.until(lambda: _thresholds(scene) != "fail", 10, "the end of the alarm")
    scene.shop.open(1, kinds=(("pays", 1),))
    system.until(lambda: not scene.shop.busy and system.is_settled(), 60, "the end of everything")
    for request in system.api.requests():
        if visit := scene.shop.visits.get(request.session):
            silent_s = request.at - max(event.at for event in visit.told)
            scene.expect(silent_s > WEB_S - 0.2, f"{request.session} was contacted after {silent_s:.1f} s")


def _text(changed: Mapping[str, int]) -> str:
    """Return a whole file; `changed`: settings that are lower (1) or higher (2) than the initial value."""
    top = "\n".join(f"{name} = {values[changed.get(name, 0)]}" for name, values in TOP.items())
    idle = "\n".join(f"{stage} = {IDLE[changed.get(f'idle.{stage}', 0)]}" for stage in STAGES)
    web = "\n".join(f"{stage} = {IDLE[changed.get(f'idle_by_platform.web.{stage}', 0)]}" for stage in STAGES)
    return f"[detection]\n{top}\n[detection.idle]\n{idle}\n[detection.idle_by_platform.web]\n{web}\n"


def _write(scene: Scene, text: str) -> None:
    _write_bytes(scene, text.encode())


def _write_bytes(scene: Scene, content: bytes | None) -> None:
    """Write the file as an editor that finished a minute ago; None: remove it."""
    file = scene.system.directory / "winback.toml"
    if content is None:
        file.unlink()
        return
    edited = file.with_name("edited.toml")
    edited.write_bytes(content)
    os.utime(edited, (time.time() - 60,) * 2)
    edited.replace(file)


def _thresholds(scene: Scene) -> str:
    state = scene.system.state
    found = health.findings(overview.read(state.scripts, state.keys, []), scene.system.settings)
    return next((finding.mark for finding in found if finding.name == "thresholds"), "ok")


def _while(scene: Scene, for_s: float) -> None:
    """Let the fault last: its duration is under test."""
    ends = time.monotonic() + for_s
    scene.system.until(lambda: time.monotonic() > ends, for_s + 30)


FAULTS = (
    Fault("24a", "each setting of detection lowered and raised while running", every_setting, USUAL | {"expired"}),
    Fault("24b", "settings file cut off, emptied, missing, nested, binary, huge", damaged),
)
