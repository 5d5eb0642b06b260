"""Shared by tests of attempts, dispatch and sweep: the tasks' dependencies, around a state and a faulty server."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic

from detectors.settings import DetectionSettings
from state.alarms import Alarms
from state.outcome_feed import OutcomeFeed
from state.people import person_of
from state.progress_stamps import Stamps
from state.sending_control import Control
from tasks.delivery.attempt import attempt
from tasks.delivery.sending_limits import limits_of
from tasks.delivery.settings import DeliverySettings
from tasks.delivery.settling import AttemptOutcome
from tasks.delivery.yuno import YunoClient
from tasks.deps import Deps
from tasks.outcomes.relay import Relay
from tasks.outcomes.settings import OutcomeSettings
from tasks.policy.blocklist import compiled
from tasks.policy.experiment import ExperimentSettings
from tasks.policy.quiet_hours import QuietHours
from tasks.policy.settings import ContactSettings
from tests.support.events import JANE, happen
from tests.support.faulty_server import OK, FaultyServer, replies
from tests.support.outreaches import dispatch
from tests.support.passing_time import let_backoff_pass, let_lease_run_out
from tests.support.states import SECRET
from tests.support.stored_state import now_ms, stored
from tests.support.wire import Behaviour
from worker.celery_support.task_deps import erasure_stores
from worker.runtime import State

PERSON = person_of(JANE["phone_number"], SECRET)
NOW = datetime(2025, 5, 13, 22, 45, tzinfo=UTC)
SHORT = timedelta(milliseconds=300)


class Clock:
    """A monotonic clock on which waiting takes no time."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead += seconds


def deps_of(
    state: State,
    client: YunoClient | None = None,
    delivery: DeliverySettings | None = None,
    contact: ContactSettings | None = None,
) -> Deps:
    clock = Clock()
    return Deps(
        sessions=state.sessions,
        outbox=state.outbox,
        people=state.people,
        streams=state.streams,
        control=Control(state.scripts, state.keys, limits_of(delivery)) if delivery else state.control,
        attribution=state.attribution,
        experiments=state.experiments,
        orders=state.orders,
        relay=Relay(OutcomeFeed(state.scripts, state.keys), OutcomeSettings(), SECRET, clock),
        stamps=Stamps(state.scripts, state.keys),
        alarms=Alarms(state.scripts, state.keys),
        client=client,
        delivery=delivery or DeliverySettings(),
        contact=contact or ContactSettings(quiet_hours=QuietHours(), law="off"),
        experiment=ExperimentSettings(),
        blocklist=compiled((contact or ContactSettings()).block),
        detection=DetectionSettings,
        identity_secret=SECRET,
        erasure=erasure_stores(state),
        in_flight=100,
        heartbeat=lambda _: None,
        monotonic=clock,
        sleep=clock.sleep,
        now=lambda: NOW,
        random=Random(1),
    )


@contextmanager
def yuno(state: State, *answers: bytes | Behaviour, **settings: object) -> Iterator[tuple[Deps, FaultyServer]]:
    """A live deployment against a server with these answers or behaviours; further settings of delivery."""
    behaviours = [replies(answer) if isinstance(answer, bytes) else answer for answer in answers]
    if all(isinstance(answer, bytes) for answer in answers):
        behaviours = [replies(*[answer for answer in answers if isinstance(answer, bytes)] or [OK])]
    with FaultyServer(*behaviours) as server:
        keys = {"public_api_key": "pk", "private_secret_key": "sk"}
        delivery = DeliverySettings.model_validate({"mode": "live", "endpoint": server.url, **keys, **settings})
        client = YunoClient(delivery, max_connections=4)
        try:
            yield deps_of(state, client, delivery), server
        finally:
            client.close()


def attempt_again(state: State, outreach: str, deps: Deps) -> AttemptOutcome:
    """Let time pass until the outreach is due, dispatch, and attempt it."""
    let_backoff_pass(state, outreach)
    assert outreach in dispatch(state)
    return attempt(outreach, deps)


def held_by(state: State, person: str = PERSON) -> str:
    """Return the outreach that holds a person's reservation; empty for none."""
    return state.people.person_facts(person).reserved_by


def let_it_be_reaped(state: State, outreach: str) -> None:
    let_lease_run_out(state, outreach)
    reaped = state.outbox.reap()
    assert reaped.due_again + reaped.unknown == 1


def comes_back(state: State, session: str = "s-1") -> None:
    """Apply new activity."""
    happen(state, {"type": "activity", "session_id": session, "flow_stage": "payment", "platform": "web"})
    assert stored(state, session).state == "waiting"


def pays(state: State, session: str = "s-1", *, phone: str = JANE["phone_number"]) -> None:
    """Apply an order, and mark the person as ingest does."""
    happen(state, {"type": "order_completed", "session_id": session, "customer": {"phone_number": phone}})
    state.people.mark_bought(person_of(phone, SECRET), state.streams.watermark().now_ms)


def let_a_probe_be_due(state: State) -> None:
    """Let an automatic pause of sending be over."""
    key = f"{state.keys.control}sending"
    assert state.client.hexists(key, "retry_at")
    state.client.hset(key, "retry_at", now_ms(state))
