"""A sender of webhooks with a clock of its own and a receiver within the test."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from state.outcome_feed import FeedEntry
from state.webhooks import Webhooks
from tasks.outcomes.settings import OutcomeSettings, key_of
from tests.support.feed import feed_of
from tests.support.stored_state import now_ms
from worker.runtime import State
from worker.webhooks.client import Answer
from worker.webhooks.courier import Courier
from worker.webhooks.schedule import Delivery
from worker.webhooks.sender import Sender

SECRET = "whsec_" + "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQh"
OK, DOWN = Answer("http_200", accepted=True), Answer("connect_error")


class Time:
    """A monotonic clock and a wall clock that a test moves."""

    def __init__(self, state: State) -> None:
        self.elapsed = 0.0
        self._began = now_ms(state) / 1000

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> float:
        return self._began + self.elapsed


class Direct(Courier):
    """Posts within the call."""

    def submit(self, delivery: Delivery) -> None:
        self._in_flight += 1
        self._carry(delivery)


class Receiver:
    """The shop's server: answers each request as told, and keeps the ids of those that it accepted."""

    def __init__(self, answer: Callable[[str], Answer] = lambda _: OK) -> None:
        self.answer = answer
        self.seen: list[str] = []
        self.accepted: list[str] = []

    def post(self, body: str, headers: Mapping[str, str]) -> Answer:
        identifier = headers["webhook-id"]
        assert json.loads(body) is not None
        self.seen.append(identifier)
        given = self.answer(identifier)
        if given.accepted:
            self.accepted.append(identifier)
        return given


def sender_of(state: State, receiver: Receiver, time: Time, **settings: Any) -> Sender:  # noqa: ANN401 - any setting
    given = {"webhook_url": "https://shop.example/", "webhook_secrets": SECRET, **settings}
    section = OutcomeSettings.model_validate(given)
    courier = Direct(receiver.post, tuple(map(key_of, section.webhook_secrets)), time.now)
    return Sender(
        Webhooks(state.scripts, state.keys),
        section,
        courier,
        monotonic=time.monotonic,
        now=time.now,
        random=Random(1),
    )


def fill_feed(state: State, *ids: str, body: str = "{}") -> None:
    feed_of(state).append([FeedEntry(one, body) for one in ids], most=100_000)


def run(sender: Sender, time: Time, seconds: float, every: float = 1.0) -> None:
    """Let a sender run for a while."""
    for _ in range(round(seconds / every)):
        sender.step()
        time.elapsed += every
    sender.step()
