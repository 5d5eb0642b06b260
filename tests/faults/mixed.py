"""Fault 27: processes of one installation with other settings than the rest."""

import time
from collections.abc import Callable, Mapping
from hashlib import sha256

from state import overview
from tests.faults.fault import USUAL, Fault, Scene
from worker.monitoring import health

SHADOW = {"WINBACK_DELIVERY__MODE": "shadow"}
LIVE = {"WINBACK_DELIVERY__MODE": "live"}
LONGEST_S = 20.0


def worker_in_another_mode(odd: Mapping[str, str]) -> Callable[[Scene], None]:
    """Start one more worker in another mode: no worker acts until one side has ended."""

    def act(scene: Scene) -> None:
        system = scene.system
        scene.open(10, over_s=0.5)
        with system.another("recover", odd):
            system.until(lambda: _finding(scene, "sending") == "fail", LONGEST_S, "the alarm on sending")
            named = system.until(lambda: _text(scene, "processes"), LONGEST_S, "the names of the processes")
            scene.expect("recover " in named and ":" in named, f"no process is named: {named}")
            before, outcomes = len(system.api.requests()), _shadowed(scene)
            scene.open(20, over_s=1.0)
            _while(scene, 3.0)
            scene.expect(len(system.api.requests()) == before, "a request was made while the workers disagreed")
            scene.expect(_shadowed(scene) == outcomes, "an outreach was suppressed while the workers disagreed")
        system.until(lambda: _finding(scene, "sending") != "fail", LONGEST_S, "the end of the alarm")

    return act


def worker_of_another_namespace(scene: Scene) -> None:
    """Start a worker of another namespace on the same broker: it takes messages that it can't use."""
    system = scene.system
    with system.another("recover", {"WINBACK_NAMESPACE": "other"}):
        system.until(lambda: system.redis.exists("other:heartbeat:recover"), LONGEST_S)
        scene.open(40, over_s=2.0)
        system.until(lambda: _other_finding(scene) == "fail", LONGEST_S, "the alarm on the namespace")


def role_with_a_wrong_key(role: str) -> Callable[[Scene], None]:
    """Start a role with an encryption key that isn't this data's: others must be able to start afterwards."""

    def act(scene: Scene) -> None:
        system = scene.system
        scene.open(10, over_s=0.5)
        before = _recorded(scene)
        with system.another(role, {"WINBACK_ENCRYPTION_KEYS": sha256(b"wrong").hexdigest()}):
            scene.open(10, over_s=0.5)
            _while(scene, 3.0)
        scene.expect(_recorded(scene) == before, f"{role} recorded its wrong key: {_recorded(scene)}")
        system.kill(role)
        system.until(system.all_alive, 30, "the start of the right one")

    return act


def role_with_another_secret(scene: Scene) -> None:
    """Start ingest and a worker with another identity secret: both are refused."""
    system = scene.system
    began = time.time()
    secret = {"WINBACK_IDENTITY_SECRET": "another secret than before"}
    with system.another("recover", secret), system.another("ingest", secret):
        scene.open(20, over_s=1.0)
        system.until(lambda: system.said("identity differs", since=began) > 1, LONGEST_S, "both refusals")


def worker_with_other_settings(scene: Scene) -> None:
    """Start a worker with another policy: it is reported, and no person is contacted twice."""
    with scene.system.another("recover", {"WINBACK_CONTACT__MAX_PER_SESSION": "5"}):
        scene.open(30, over_s=2.0)
        named = scene.system.until(lambda: _text(scene, "processes"), LONGEST_S, "the name of the process")
        scene.expect("[contact]" in named, f"the section is not named: {named}")


def _finding(scene: Scene, name: str) -> str:
    return next((found.mark for found in _findings(scene) if found.name == name), "")


def _text(scene: Scene, name: str) -> str:
    return next((found.text for found in _findings(scene) if found.name == name and found.mark == "fail"), "")


def _other_finding(scene: Scene) -> str:
    system = scene.system
    ours, other = system.state.keys.foreign, "other:{control}:foreign"
    return "fail" if system.redis.exists(ours) or system.redis.exists(other) else ""


def _findings(scene: Scene) -> list[health.Finding]:
    state = scene.system.state
    return health.findings(overview.read(state.scripts, state.keys, []), scene.system.settings)


def _shadowed(scene: Scene) -> int:
    state = scene.system.state
    found = overview.read(state.scripts, state.keys, [], days=2)
    return found.counters.outcomes.get("suppressed", {}).get("shadow", 0)


def _recorded(scene: Scene) -> set[str]:
    record = scene.system.redis.hkeys(scene.system.state.keys.deployment)
    return {name.decode() for name in record if name.startswith(b"key.")}


def _while(scene: Scene, for_s: float) -> None:
    """Let the fault last: its duration is under test."""
    ends = time.monotonic() + for_s
    scene.system.until(lambda: time.monotonic() > ends, for_s + 30)


ENCRYPTED = {"WINBACK_ENCRYPTION_KEYS": sha256(b"right").hexdigest()}
FAULTS = (
    Fault("27a", "a shadow worker next to live ones", worker_in_another_mode(SHADOW)),
    Fault(
        "27b",
        "a live worker next to shadow ones",
        worker_in_another_mode(LIVE),
        USUAL | {"suppressed.shadow"},
        env=SHADOW,
    ),
    Fault("27c", "a worker of another namespace on the same broker", worker_of_another_namespace),
    Fault("27d", "a sweep with a wrong key of encryption", role_with_a_wrong_key("sweep"), env=ENCRYPTED),
    Fault("27e", "ingest with a wrong key of encryption", role_with_a_wrong_key("ingest"), env=ENCRYPTED),
    Fault("27f", "ingest and a worker with another identity secret", role_with_another_secret),
    Fault("27g", "a worker with other settings of the policy", worker_with_other_settings),
)
