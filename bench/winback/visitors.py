"""What the collector keeps of a visitor of a source without session ids."""

from redis import Redis

from bench.winback.running import SECRET
from state.visitors import Visit, Visitors
from worker import runtime
from worker.settings import load

_AT_MS = 1_764_500_000_000
_AT_ONCE = 500


def bytes_of_one(redis_url: str, visitors: int) -> float:
    """Return the memory (bytes) of a visitor with a session, on an empty server."""
    state = runtime.open_state(load({**SECRET, "WINBACK_REDIS_URL": redis_url}))
    found = Visitors(state.scripts, state.keys, state.secret, state.cipher)
    found.place("warm-up", [_visit(0)])
    with Redis.from_url(redis_url) as redis:
        before = redis.info("memory")["used_memory"]
        for first in range(0, visitors, _AT_ONCE):
            found.place("shops", [_visit(number) for number in range(first, first + _AT_ONCE)])
        used = redis.info("memory")["used_memory"] - before
        redis.flushall(asynchronous=False)
    state.client.close()
    return float(used / visitors)


def _visit(number: int) -> Visit:
    return Visit(_AT_MS + number, visitor=f":anonymous:{number:032x}", place="cart_review.web")
