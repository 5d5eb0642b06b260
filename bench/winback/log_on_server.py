"""A log of events that is stored on a server once, and copied from there into the stream as often as needed."""

from collections.abc import Sequence

from redis import Redis

from bench.applying import publish
from bench.shop_log import Logged, shop_log

KEPT_IN, KEY = 9, "log"


class LogOnServer:
    """The generated log as a separate stream, with Winback's consumer group, in another database of the server."""

    def __init__(self, url: str, log: Sequence[Logged], *, into: str) -> None:
        """Store the log; `into` is the stream to copy it to."""
        self._into = into
        self.number = len(log)
        self._shop: Redis = Redis.from_url(url)
        self._kept = Redis.from_url(url.replace("/0", f"/{KEPT_IN}"))
        self._kept.delete(KEY)
        self._kept.xgroup_create(KEY, "ingest", id="0", mkstream=True)
        publish(self._kept, KEY, (logged.entry for logged in log))

    def empty_shop(self) -> None:
        """Delete all but the log; ingest processes create their group again."""
        self._shop.flushdb()

    def pour(self) -> None:
        """Copy the whole log into the stream at once."""
        self._kept.copy(KEY, self._into, destination_db="0", replace=True)

    def left(self) -> int:
        """Return how many events are still in the stream, unread or not acknowledged."""
        return int(self._shop.xlen(self._into))


def some_log(quick: bool) -> list[Logged]:  # noqa: FBT001 - as measure has it
    """Return a log that ingest takes several seconds for, or a second or two."""
    return shop_log(15_000, 150_000) if quick else shop_log(30_000, 300_000)
