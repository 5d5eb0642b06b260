"""Fault 28a: sessions that supersede each other in circles, and people who are erased while they are shopping."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from detectors.lanes import LANES
from detectors.normalize.identities import identities_of
from state.decisions import Operator
from state.erasure import Erasure
from state.optouts import OptOuts
from tasks.erasure.data_subject import DataSubject
from tasks.erasure.forget import Forget
from tests.faults.fault import USUAL, Fault, Scene
from tests.faults.ledger import Request
from tests.faults.shop import STREAMS, THRESHOLD_S, new_number
from worker.runtime import identity_secret

CIRCLES, FORGOTTEN = 8, 4
STEP_S = 0.3
NAME = "Penelope Featherstonehaugh"


@dataclass(frozen=True, slots=True)
class Shopper:
    """One person, and their sessions, in sequence or in parallel."""

    phone: str
    sessions: tuple[str, ...]

    def is_at(self, place: int, at: float, **fields: object) -> dict[str, Any]:
        """Return an event of one of the sessions."""
        return {
            "session_id": self.sessions[place],
            "type": "activity",
            "flow_stage": "checkout",
            "platform": "web",
            "occurred_at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
            "customer": {"full_name": NAME, "phone_number": self.phone, "country_code": "CO"},
            "cart": {"total_value": 99.5, "currency": "COP", "items": [{"name": "Sofa", "quantity": 1}]},
            **fields,
        }


def circles_and_forgetting(scene: Scene) -> None:
    """Cause all of it at once, among the usual shoppers."""
    scene.open(10, over_s=2.0)
    circling = [_shopper(scene, f"circle-{number}", scene.random.choice((2, 3))) for number in range(CIRCLES)]
    forgotten = [_shopper(scene, f"forgotten-{number}", 2) for number in range(FORGOTTEN)]
    for shopper in circling:
        _tell(scene, *_circle(scene, shopper))
    for _ in range(3):
        # From now on, ingest relies on having named them.
        _tell(scene, *(shopper.is_at(place, time.time()) for shopper in forgotten for place in (0, 1)))
        _pass(scene, STEP_S / 3)
    for number, shopper in enumerate(forgotten):
        # On a busy machine, one erasure takes longer than the others' threshold.
        _tell(scene, *(other.is_at(place, time.time()) for other in forgotten[number:] for place in (0, 1)))
        _forget(scene, shopper)
    _tell(scene, *(shopper.is_at(0, time.time()) for shopper in forgotten))
    active_until = time.time() + 4 * THRESHOLD_S
    while time.time() < active_until:
        _tell(scene, *(shopper.is_at(1, time.time()) for shopper in forgotten))
        _pass(scene, STEP_S)
    scene.system.until(lambda: not scene.shop.busy and scene.system.is_settled(), 60)
    for shopper in circling:
        _came_to_one_end(scene, shopper)
    for shopper in forgotten:
        made = _requests(scene, shopper)
        scene.expect(len(made) <= 1, f"{shopper.phone} was contacted {len(made)} times")
        early = [request for request in made if request.at < active_until]
        scene.expect(not early, f"{shopper.sessions} contacted while active in another session, after a forget")


def _circle(scene: Scene, shopper: Shopper) -> Iterator[dict[str, Any]]:
    """Yield supersessions in a circle, at one moment or in sequence, shuffled and some of them twice."""
    began, number = time.time() - 0.1, len(shopper.sessions)
    apart_s = scene.random.choice((0.0, 0.001))
    turns = range(number if apart_s == 0 else 3 * number)
    made = [
        shopper.is_at(turn % number, began + turn * apart_s, previous_session_id=shopper.sessions[(turn + 1) % number])
        for turn in turns
    ]
    made += scene.random.sample(made, len(made) // 2)
    scene.random.shuffle(made)
    yield from made


def _came_to_one_end(scene: Scene, shopper: Shopper) -> None:
    found = scene.system.state.sessions.read(shopper.sessions)
    states = [session.state for session in found]
    scene.expect(any(state != "superseded" for state in states), f"I2: {shopper.sessions} have all moved")
    contacts = sum(request.contact for request in _requests(scene, shopper))
    operator = Operator(scene.system.state.scripts, scene.system.state.keys)
    held_out = sum(
        record is not None and record.reason == "holdout"
        for session in found
        for record in operator.read(session.outreaches)
    )
    what = f"{contacts} contacts, and was held out {held_out} times"
    scene.expect(contacts + held_out == 1, f"{shopper.sessions} ({states}) led to {what}")
    counted = {session.session_id: session.contacts for session in found}
    scene.expect(max(counted.values()) <= 1, f"contacts counted in a circle: {counted}")


def _requests(scene: Scene, shopper: Shopper) -> list[Request]:
    return [request for request in scene.system.api.requests() if request.session in shopper.sessions]


def _shopper(scene: Scene, name: str, sessions: int) -> Shopper:
    prefix = f"{name}-{scene.random.getrandbits(32):08x}"
    return Shopper(f"+57{new_number()}", tuple(f"{prefix}-{place}" for place in range(sessions)))


def _forget(scene: Scene, shopper: Shopper) -> None:
    state, secret = scene.system.state, identity_secret(scene.system.settings)
    erasure = Erasure(state.scripts, state.keys, [lane.name for lane in LANES])
    forget = Forget(erasure, OptOuts(state.scripts, state.keys), lambda *_: None)
    who = DataSubject(identities_of(shopper.phone, "CO", ""), (), secret, lenient=True)
    done = forget.forget(who, forget.survey(who))
    scene.expect(not done.left, f"I4: {done.left} are left")


def _tell(scene: Scene, *events: dict[str, Any]) -> None:
    for made in events:
        scene.system.redis.xadd(scene.random.choice(STREAMS), {"event": json.dumps(made)})


def _pass(scene: Scene, for_s: float) -> None:
    ends = time.monotonic() + for_s
    scene.system.until(lambda: time.monotonic() > ends, for_s + 30)


FAULTS = (Fault("28a", "takeovers in circles, forget while they shop", circles_and_forgetting, USUAL),)
