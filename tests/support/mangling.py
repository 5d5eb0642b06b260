"""The whole path of events: parsed, applied, swept, attempted. Returns the recipients of requests."""

import json
from datetime import datetime
from typing import Any, cast

from state.event_stream import StreamBatch, StreamEntry
from tasks.delivery.attempt import attempt
from tasks.delivery.settings import DeliverySettings
from tasks.delivery.yuno import Accepted, Reply, YunoClient
from tasks.policy.quiet_hours import QuietHours
from tasks.policy.settings import ContactSettings
from tests.support.attempts import deps_of
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import Event, arrived, event
from tests.support.ingest_support import ingest_of
from tests.support.outreaches import dispatch, sweep
from tests.support.stored_state import now_ms
from worker.runtime import State

PHONE, EMAIL = "+5511987654321", "ana.souza@example.com"
ANA = {"full_name": "Ana Souza", "phone_number": PHONE, "email": EMAIL, "country_code": "BR"}
CONTACT = ContactSettings(quiet_hours=QuietHours(), law="off", disabled_rules=("consent_missing",))
"""Without required consent, so that only a signal stops a contact."""
LIVE = DeliverySettings.model_validate({"mode": "live", "public_api_key": "pk", "private_secret_key": "sk"})


class Api:
    """Accepts every request and keeps its body."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def post(self, body: str, _key: str, _attempt: object, **_now: datetime) -> Reply:
        self.bodies.append(json.loads(body))
        return Accepted(200)


def checkout(session: str = "s-1", **more: object) -> Event:
    """Return an activity of Ana's that leads to a contact."""
    return event(session=session) | {"customer": ANA, "cart": {"total_value": 10, "currency": "BRL"}} | more


def contacts(state: State, *events: Event | bytes) -> list[dict[str, Any]]:
    """Let events arrive one minute apart, the last two hours ago, and attempt all outreaches.

    Return the bodies of all requests.
    """
    state.client.flushall()
    first_ms = now_ms(state) - 2 * HOUR_MS - len(events) * MINUTE_MS
    entries = [arrived(made, first_ms + place * MINUTE_MS) for place, made in enumerate(events)]
    return contacts_of(state, *entries)


def contacts_of(state: State, *entries: StreamEntry) -> list[dict[str, Any]]:
    ingest = ingest_of(state)
    for entry in entries:
        ingest.process(StreamBatch(state.streams.first, [entry]))
    api = Api()
    deps = deps_of(state, cast("YunoClient", api), LIVE, CONTACT)
    for outreach in dispatch(state) if sweep(state) else ():
        attempt(outreach, deps)
    return api.bodies


def numbers(bodies: list[dict[str, Any]]) -> list[str]:
    return [body["customer"]["phone_number"] for body in bodies]
