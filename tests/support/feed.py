"""The outcome feed in tests."""

import json
from time import monotonic
from typing import Any

from state.outcome_feed import Outcome, OutcomeFeed
from tasks.outcomes.relay import Relay
from tasks.outcomes.settings import OutcomeSettings
from tests.support.states import SECRET
from worker.runtime import State


def feed_of(state: State) -> OutcomeFeed:
    return OutcomeFeed(state.scripts, state.keys)


def relay_of(state: State, **settings: object) -> Relay:
    return Relay(feed_of(state), OutcomeSettings.model_validate(settings), SECRET, monotonic)


def published(state: State) -> list[tuple[str, str]]:
    """The outcomes that wait for the relay: kind and reason, in order."""
    return [(one.kind, one.reason) for one in waiting(state)]


def waiting(state: State) -> list[Outcome]:
    return feed_of(state).waiting(1000)


def in_feed(state: State) -> list[dict[str, Any]]:
    """The entries of the feed: each id with the data of its outcome."""
    found: Any = state.client.xrange(state.keys.outcomes)
    return [{"id": fields[b"id"].decode(), **json.loads(fields[b"outcome"])["data"]} for _, fields in found]


def outcomes_in_feed(state: State) -> list[tuple[str, str | None]]:
    """The outcomes in the feed: name and reason, in order."""
    return [(one["outcome"], one["reason"]) for one in in_feed(state)]
