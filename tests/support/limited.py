"""Dispatch with limits on sending."""

from dataclasses import replace

from state.sending_control import Control
from tasks.delivery.sending_limits import limits_of
from tasks.delivery.settings import DeliverySettings
from tasks.deps import Deps
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.outreaches import sweep
from tests.support.stored_state import stored
from tests.tasks.test_dispatch import Broker
from worker.runtime import State


def somebody(state: State, number: int) -> str:
    """Return an abandoned session of its own person; the lower the number, the older."""
    customer = {**JANE, "phone_number": f"+5730012345{number:02d}"}
    happen(state, event(session=f"s-{number}", customer=customer), ago_ms=20 * HOUR_MS - number * MINUTE_MS)
    assert sweep(state) == 1
    return stored(state, f"s-{number}").outreach


def limited(state: State, deps: Deps, **settings: object) -> Deps:
    delivery = DeliverySettings.model_validate({"mode": "live", "rate": "off", **settings})
    return replace(deps, control=Control(state.scripts, state.keys, limits_of(delivery)))


def round_of(deps: Deps, *, queued: int = 0) -> list[str]:
    broker = Broker(queued)
    broker.dispatch(deps)
    return broker.messages
