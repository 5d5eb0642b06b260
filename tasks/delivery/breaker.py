"""What a reply says about all other requests. Pure: the state that workers share is in `state.sending_control`."""

from datetime import timedelta
from typing import assert_never

from detectors.lanes import milliseconds
from state.sending_control import Health
from tasks.delivery import yuno

_ASKS_FOR_TIME = ("http_429", "http_503")
_ABOUT_ALL = ("http_408", "http_421", "http_425", "http_429")
"""Replies 4xx that would be the same to any other request now."""


def verdict(reply: yuno.Reply) -> Health | None:
    """Say whether the API works, as far as a reply tells; None: no request was made.

    It works when it answers 2xx or 4xx, also when it refuses this one request. It fails when it can't be reached, does
    not answer, answers 5xx or as in `_ABOUT_ALL`, sends elsewhere (3xx: the address is wrong, for every request), or
    has an address that nothing is sent to.
    """
    match reply:
        case yuno.Accepted():
            return "works"
        case yuno.Unauthorised():
            return "refused"
        case yuno.TryAgain(why=yuno.FORBIDDEN):
            return "failing"
        case yuno.TryAgain(counted=False):
            return None
        case yuno.TryAgain(why) | yuno.Undecided(why) | yuno.Rejected(why):
            return "works" if why.startswith("http_4") and not why.startswith(_ABOUT_ALL) else "failing"
        case _:
            assert_never(reply)


def asked_pause_ms(reply: yuno.Reply) -> int:
    """Return how long a server asks everybody to wait: the Retry-After of a 429 or 503, which is about us or about it.

    A 409 asks so for one request alone.
    """
    match reply:
        case yuno.TryAgain(why, timedelta() as wait) if why.startswith(_ASKS_FOR_TIME):
            return max(0, milliseconds(wait))
        case _:
            return 0


def not_delivered(reply: yuno.Reply) -> bool:
    """Whether it is certain that nobody was contacted by this request."""
    if isinstance(reply, yuno.TryAgain):
        return not reply.maybe_delivered
    return isinstance(reply, yuno.Rejected | yuno.Unauthorised)
