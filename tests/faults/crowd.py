"""The rest of the shop: a fixed number of anonymous shoppers with a steady rate of plain activity."""

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
    """Sends `rate` events per second directly to the server, in its own thread, until it is stopped."""

    def __init__(self, url: str, *, rate: int, shoppers: int, seed: int) -> None:
        self._redis: Any = Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=1.0)
        self._rate = rate
        self._shoppers = shoppers
        self._random = Random(seed)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.told = 0
        self.untold = 0
        """Events that the server didn't accept or acknowledge."""

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sending."""
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
