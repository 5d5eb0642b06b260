"""The state of a test, on a real or a fake server, with short settings."""

from typing import Any

from detectors.sequence import RANK_NAMES
from state.attribution import Attribution
from state.cipher import Cipher, Unencrypted
from state.event_streams import Streams
from state.experiments import Experiments
from state.keys import Keys
from state.limit import Limit
from state.orders import Orders
from state.outbox import Outbox
from state.people import ContactRef, People
from state.scripts import Scripts
from state.sending_control import Control
from state.sessions import Sessions
from tasks.delivery.sending_limits import limits_of
from tasks.delivery.settings import DeliverySettings
from tests.support.durations import DAY_MS, SECOND_MS
from worker.runtime import State

SECRET = b"a secret of the tests"
LEASE_MS = 70 * SECOND_MS
CAP_MS = DAY_MS
BOUGHT_WINDOW_MS = DAY_MS
EXPERIMENT = "first"
WINDOW_MS = 3 * DAY_MS
LIMITS = (Limit(1, CAP_MS),)
CONTACT_REF = ContactRef("", WINDOW_MS, 2**52)
"""Of a contact of which no more is known; taken after whatever was forgotten."""


class FakeScripts(Scripts):
    """fakeredis does not know the `#!lua` line."""

    def text(self, name: str) -> str:
        return super().text(name).split("\n", 1)[1]


def make_state(
    client: Any,  # noqa: ANN401 - real or fake
    scripts: Scripts,
    namespace: str = "winback",
    cipher: Cipher | None = None,
) -> State:
    keys = Keys(namespace)
    people = People(scripts, keys, longest_limit_ms=CAP_MS, lease_ms=LEASE_MS, bought_window_ms=BOUGHT_WINDOW_MS)
    cipher = cipher or Unencrypted()
    sessions = Sessions(scripts, keys, RANK_NAMES, cipher)
    outbox, streams = Outbox(scripts, keys, LEASE_MS, cipher), Streams(scripts, keys)
    control = Control(scripts, keys, limits_of(DeliverySettings()))
    attribution = Attribution(scripts, keys, WINDOW_MS)
    experiments = Experiments(scripts, keys, EXPERIMENT, WINDOW_MS)
    orders = Orders(scripts, keys)
    return State(
        client, keys, scripts, sessions, outbox, people, streams, control, attribution, experiments, orders, cipher
    )
