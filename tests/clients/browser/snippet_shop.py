"""A shop whose pages have the browser snippet, and the events that the collector gets from them."""

import json
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from tests.clients.browser.tabs import Tab
from tests.clients.chromium import Browser
from tests.support.processes import until

CALM_S = 0.6
"""No further event is expected after this time without one."""
CLOCK = """<script>
const then = Date.now();
Date.now = () => then + 60000 * (window.minutes || 0) + performance.now();
</script>"""
"""A clock that a test can advance, so that no test waits for a minute."""
LATER = "window.minutes = {}"


@dataclass
class Shop:
    """The pages, and the events that the collector got from them."""

    browser: Browser
    url: str
    redis: Any

    def open(self, path: str = "/", host: str = "127.0.0.1") -> Tab:
        return Tab.opened(self.browser, self.url.replace("127.0.0.1", host) + path)

    def events(self, least: int = 1) -> list[dict[str, Any]]:
        """Return the events since the last call, when no more arrive."""
        until(lambda: self.redis.xlen("winback:events") >= least)
        size, since = -1, monotonic()
        while monotonic() - since < CALM_S:
            if size != (size := self.redis.xlen("winback:events")):
                since = monotonic()
            sleep(0.05)
        found = [json.loads(fields[b"event"]) for _, fields in self.redis.xrange("winback:events")]
        self.redis.delete("winback:events")
        return sorted(found, key=lambda event: str(event["occurred_at"]))

    def kinds(self, least: int = 1) -> list[str]:
        """Return the stage of each activity, and the type of each other event, in the order of time."""
        return [event.get("flow_stage", event["type"]) for event in self.events(least)]
