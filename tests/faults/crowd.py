"""The rest of the shop: a fixed number of anonymous shoppers who look around at a steady rate."""

import json
import threading
import time
from itertools import count
from random import Random
from typing import Any

from redis import Redis, RedisError

from tests.faults.shop import EVENTS

TICK_S = 0.05


class Crowd:
    """Tells `rate` events a second until it is stopped, from a thread of its own, straight to the server."""

    def __init__(self, url: str, *, rate: int, shoppers: int, seed: int) -> None:
        self._redis: Any = Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=1.0)
        self._rate = rate
        self._shoppers = shoppers
        self._random = Random(seed)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.told = 0
        self.untold = 0
        """Events that the server did not take, or did not say that it took."""

    def start(self) -> None:
        """Open the doors."""
        self._thread.start()

    def stop(self) -> None:
        """Send everybody home."""
        self._closing.set()
        self._thread.join(10)
        self._redis.close()

    def _run(self) -> None:
        began = time.monotonic()
        for tick in count(1):
            if self._closing.wait(max(0.0, began + tick * TICK_S - time.monotonic())):
                return
            self._tell(round(self._rate * TICK_S))

    def _tell(self, events: int) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for _ in range(events):
            event = {
                "session_id": f"crowd-{self._random.randrange(self._shoppers)}",
                "type": "activity",
                "flow_stage": "product_selection",
                "platform": self._random.choice(("web", "ios", "android")),
            }
            pipe.xadd(EVENTS, {"event": json.dumps(event)})
        try:
            pipe.execute()
        except RedisError:
            self.untold += events
        else:
            self.told += events
