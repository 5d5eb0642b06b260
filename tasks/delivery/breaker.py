"""What a reply means for all other requests. Pure: `state.sending_control` holds the state that workers share."""

from datetime import timedelta
from typing import assert_never

from detectors.lanes import milliseconds
from state.sending_control import Health
from tasks.delivery import yuno

_ASKS_FOR_TIME = ("http_429", "http_503")
_ABOUT_ALL = ("http_408", "http_421", "http_425", "http_429")
"""4xx replies that any other request would get now."""


def verdict(reply: yuno.Reply) -> Health | None:
    """Return whether the API works, according to a reply; None: no request was made.

    It works if it answers 2xx or 4xx, even if it refuses this one request. It fails if it can't be reached, doesn't
    answer, answers 5xx or as in `_ABOUT_ALL`, redirects (3xx: the address is wrong for every request), or has a
    forbidden address.
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
    """Return the pause (ms) that a server asks of all requests: the Retry-After of a 429 or 503.

    That of a 409 only concerns one request.
    """
    match reply:
        case yuno.TryAgain(why, timedelta() as wait) if why.startswith(_ASKS_FOR_TIME):
            return max(0, milliseconds(wait))
        case _:
            return 0


def not_delivered(reply: yuno.Reply) -> bool:
    """Return whether this request certainly contacted no person."""
    if isinstance(reply, yuno.TryAgain):
        return not reply.maybe_delivered
    return isinstance(reply, yuno.Rejected | yuno.Unauthorised)
