"""Shoppers, each with a known story, and the results of sending its events."""

import heapq
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Literal

from redis import Redis, RedisError

Kind = Literal["leaves", "pays", "comes_back", "pays_late", "anonymous", "second_cart", "refuses", "goes_on"]
Kinds = tuple[tuple[Kind, int], ...]
KINDS: Kinds = (
    ("leaves", 8),
    ("pays", 3),
    ("comes_back", 3),
    ("pays_late", 2),
    ("anonymous", 2),
    ("second_cart", 3),
    ("refuses", 1),
)
"""And the frequency of each.

`pays` within the threshold; `pays_late` and `comes_back` around the time of a possible request; `second_cart` is
another session of the person before, with the number written differently, or with another number and the same e-mail
address; `refuses` refuses in another session; `goes_on`, if requested, is never silent for `GOES_ON_S`.
"""
THRESHOLD_S = 1.0
GOES_ON_S = 4.0
NAME = "Penelope Featherstonehaugh"
MAILBOX = "p.featherstonehaugh"
EVENTS = "winback:events"
STREAMS = (EVENTS, f"{EVENTS}:1")
"""Each event goes into any of them: most sessions have events in both."""

_numbers = count(3_000_000_001)


def new_number() -> int:
    """Return a national number of Colombia that no shopper has yet."""
    return next(_numbers)


@dataclass(slots=True)
class Told:
    """One event that reached Redis."""

    at: float
    """When the server had answered (s since the epoch)."""
    stream: int
    entry: str
    type: str
    occurred: str
    stage: str = ""
    """The stage of an activity."""


@dataclass(slots=True)
class Visit:
    """One session: its person, and its sent events."""

    session: str
    kind: Kind
    phone: str
    """As it is written in this session."""
    person: int = 0
    """The same in all sessions of one person; 0 for none."""
    told: list[Told] = field(default_factory=list)
    untold: int = 0
    """Events that the server didn't accept or acknowledge."""
    late: int = 0
    """Events that were accepted later than they occurred, because a collector didn't answer."""


def entry_order(entry: str) -> tuple[int, int]:
    """Return a stream entry's id in a form that can be compared."""
    ms, _, number = entry.partition("-")
    return int(ms), int(number or 0)


class Shop:
    """Sends due events directly to the server, in its own thread. Its clock can be wrong."""

    def __init__(self, url: str, random: Random, prefix: str) -> None:
        self._redis: Any = Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self._random = random
        self._prefix = prefix
        self._plan: list[tuple[float, int, Visit, dict[str, Any]]] = []
        self._order = count()
        self._guard = threading.Lock()
        self._telling = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.visits: dict[str, Visit] = {}
        self.clock_offset = timedelta(0)
        self.repeats = 1
        """How often each event is sent."""
        self.shuffled_s = 0.0
        """The longest random delay of each sending."""
        self._thread.start()

    def open(self, visits: int, over_s: float = 0.5, kinds: Kinds = KINDS) -> None:
        """Let this many shoppers arrive within a time."""
        now, person = time.time(), 0
        names, weights = zip(*kinds, strict=True)
        for _ in range(visits):
            kind: Kind = self._random.choices(names, weights)[0]
            again = kind == "second_cart" and person
            person = person if again else next(_numbers)
            spellings = [f"+57{person}", f"{str(person)[:3]} {str(person)[3:]}", f"+57{next(_numbers)}"]
            phone = self._random.choice(spellings) if again else spellings[0]
            named = kind != "anonymous"
            session = f"{self._prefix}-{len(self.visits)}"
            visit = Visit(session, kind, phone if named else "", person if named else 0)
            self.visits[visit.session] = visit
            begins = now + self._random.random() * over_s
            for after_s, event in self._story(visit):
                self._tell_at(begins + after_s, visit, event)

    @property
    def busy(self) -> bool:
        """Return whether there are events left to send."""
        with self._guard:
            return bool(self._plan) or self._telling

    def close(self) -> None:
        """Stop sending."""
        self._closing.set()
        self._thread.join(10)
        self._redis.close()

    def _story(self, visit: Visit) -> Iterator[tuple[float, dict[str, Any]]]:
        email = f"{MAILBOX}+{visit.person}@example.com"
        customer = {"full_name": NAME, "phone_number": visit.phone, "email": email, "country_code": "CO"}
        cart = {"total_value": 19.99, "currency": "COP", "items": [{"name": "Kettle", "quantity": 1, "price": 19.99}]}
        stages = self._random.choice((("checkout",), ("cart_review", "checkout"), ("product_selection", "payment")))
        about = {"cart": cart} | ({"customer": customer} if visit.phone else {})
        if visit.kind == "refuses":
            refusal = {"phone_number": visit.phone, "consent": {"call": False, "whatsapp": False}}
            yield 0.0, {"type": "exit", "session_id": f"{visit.session}-before", "customer": refusal}
        last_s = 0.0
        for place, stage in enumerate(stages):
            last_s = place * 0.2
            yield last_s, _activity(stage) | (about if place == 0 else {})
        match visit.kind:
            case "pays":
                yield last_s + self._random.uniform(0.05, 0.6) * THRESHOLD_S, {"type": "order_completed"}
            case "pays_late":
                yield last_s + self._random.uniform(0.9, 2.5) * THRESHOLD_S, {"type": "order_completed"}
            case "goes_on":
                for step in range(1, int(GOES_ON_S / 0.4)):
                    yield last_s + step * 0.4, _activity(stages[-1])
            case "comes_back":
                yield last_s + self._random.uniform(0.7, 2.5) * THRESHOLD_S, _activity("payment")

    def _tell_at(self, at: float, visit: Visit, event: dict[str, Any]) -> None:
        occurred = datetime.fromtimestamp(at, UTC) + self.clock_offset
        told = {"session_id": visit.session, "occurred_at": occurred.isoformat(timespec="milliseconds"), **event}
        with self._guard:
            for _ in range(self.repeats):
                late = self._random.random() * self.shuffled_s
                heapq.heappush(self._plan, (at + late, next(self._order), visit, told))

    def _run(self) -> None:
        while not self._closing.wait(0.005):
            while due := self._next_due():
                self._tell(*due)
                self._telling = False

    def _next_due(self) -> tuple[Visit, dict[str, Any]] | None:
        with self._guard:
            if not self._plan or self._plan[0][0] > time.time():
                return None
            _, _, visit, event = heapq.heappop(self._plan)
            self._telling = True
            return visit, event

    def _tell(self, visit: Visit, event: dict[str, Any]) -> None:
        try:
            stream = self._random.randrange(len(STREAMS))
            entry = self._redis.xadd(STREAMS[stream], {"event": json.dumps(event)}).decode()
        except RedisError:
            visit.untold += 1
        else:
            visit.told.append(Told(time.time(), stream, entry, event["type"], event["occurred_at"]))


def _activity(stage: str) -> dict[str, Any]:
    return {"type": "activity", "flow_stage": stage, "platform": "web"}
