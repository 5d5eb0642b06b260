"""A random walk through the protocol of an attempt, over the real scripts: whatever may happen between its steps.

A stand-in for the API remembers whom it contacted. What must hold is looked at on the way, and in the end nothing may
be stuck.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from detectors.sequence import occurred_ms
from state.keys import partition_of
from state.outbox import Taken
from tests.helpers import (
    BODY,
    DAY_MS,
    JANE,
    LEAD,
    LEASE_MS,
    SECOND_MS,
    all_counters,
    apply,
    arrived,
    counters,
    dispatch,
    event,
    lanes_of,
    now_ms,
    places_of,
    record,
    stored,
    sweep,
    text_at,
    texts,
)
from tests.immortality import OPEN, immortal_keys
from worker.runtime import State

# Two sessions of each of three people.
PEOPLE = {f"s-{number}": f"{number // 2:02x}" * 32 for number in range(6)}
REPLIES = ("accepted", "accepted", "accepted_but_lost", "lost", "undecided", "rejected", "unavailable", "unavailable")


@dataclass
class Worker:
    """One attempt in the hands of one worker."""

    held: Taken
    step: str = "taken"
    reply: str = ""
    late: bool = False
    """By its own clock too much time has passed since just before it called the fence."""

    @property
    def person(self) -> str:
        return PEOPLE[self.held.session.session_id]


class Walk:
    """Every step is one of somebody: a shopper, the sweep, dispatch, a worker, the API, or time."""

    def __init__(self, state: State, seed: int) -> None:
        self.state = state
        self.random = Random(seed)
        self.api_knows_keys = self.random.random() < 0.3
        self.at_ms = now_ms(state) - 2 * DAY_MS
        self.newest: dict[str, int] = {}
        self.messages: list[str] = []
        self.workers: list[Worker] = []
        self.undecided: list[Worker] = []
        self.contacted: dict[str, str] = {}
        self.trace: list[str] = []
        self.steps: dict[Callable[[], None], int] = {
            self.worker_goes_on: 12,
            self.dispatch: 4,
            self.worker_takes: 4,
            self.lease_passes: 3,
            self.reap: 2,
            self.shopper_falls_silent: 1,
            self.shopper_does_something: 1,
            self.worker_dies: 1,
            self.api_decides: 1,
        }

    def go(self, steps: int) -> None:
        """Take that many steps, then let everybody die and everything come to its end."""
        for session in PEOPLE:
            self.shopper_falls_silent(session)
        for number in range(steps):
            (step,) = self.random.choices(list(self.steps), list(self.steps.values()))
            self.trace.append(step.__name__)
            step()
            if number % 4 == 0:
                self.check()
        self.check()
        self.workers.clear()
        for _ in range(2):
            self.lease_passes()
            self.reap()
            for outreach in dispatch(self.state):
                held = self.state.outbox.take(outreach)
                assert held is None or self.state.outbox.end_unsent(held, "expired", "too_old")
        assert not [found for found in self.outreaches().values() if found["state"] in OPEN], "something is stuck"
        self.check()

    # The shop

    def shopper_does_something(self) -> None:
        kind = self.random.choice(["activity"] * 4 + ["order_completed"])
        self.happens(self.random.choice(sorted(PEOPLE)), kind, late=kind != "activity" and self.random.random() < 0.5)

    def shopper_falls_silent(self, session: str = "") -> None:
        self.happens(session or self.random.choice(sorted(PEOPLE)), "activity")
        sweep(self.state, silent_for_ms=0, max_age_ms=100 * DAY_MS)

    def happens(self, session: str, kind: str, *, late: bool = False) -> None:
        """Something arrives; `late`: it had happened before the session's last activity."""
        self.at_ms += SECOND_MS
        at_ms = self.newest[session] - SECOND_MS // 2 if late else self.at_ms
        before = stored(self.state, session)
        apply(self.state, arrived(event(kind, session, stage=None if late else "checkout", customer=JANE), at_ms))
        self.newest[session] = max(self.newest.get(session, 0), at_ms)
        if before.outreach and (not late or before.purchase // 100 < at_ms):
            assert record(self.state, before.outreach)["state"] not in {"waiting", "leased"}, "not called off"
        if kind == "order_completed":
            self.state.people.mark_bought(PEOPLE[session], now_ms(self.state))

    # Dispatch, and the broker

    def dispatch(self) -> None:
        """A message may get lost, or be doubled."""
        self.messages += dispatch(self.state) * self.random.choice([0, 1, 1, 2])

    def reap(self) -> None:
        self.state.outbox.reap()

    # Workers

    def worker_takes(self) -> None:
        if self.messages:
            held = self.state.outbox.take(self.messages.pop(self.random.randrange(len(self.messages))))
            self.workers += [] if held is None else [Worker(held)]

    def worker_goes_on(self) -> None:
        if self.workers:
            worker = self.random.choice(self.workers)
            worker.step = getattr(self, f"is_{worker.step}")(worker)
            self.trace[-1] += f" {worker.held.outreach[-4:]}#{worker.held.claim} -> {worker.step} {worker.reply}"
            if not worker.step:
                self.workers.remove(worker)

    def worker_dies(self) -> None:
        if self.workers:
            worker = self.workers.pop(self.random.randrange(len(self.workers)))
            self.undecided += [worker] if worker.step == "posted" and worker.reply == "undecided" else []

    def is_taken(self, worker: Worker) -> str:
        choice = self.random.random()
        if choice < 0.1:
            self.state.outbox.end_unsent(worker.held, "suppressed", "no_cart")
            return ""
        if choice < 0.2:
            self.state.outbox.postpone(worker.held, delay_ms=LEASE_MS, why="quiet_hours")
            return ""
        # Its clock is read just before: what has passed until then has nothing to do with the lease it is given.
        worker.late = False
        verdict = self.state.outbox.fence(worker.held, body=BODY, key="key").verdict
        if verdict == "busy":
            self.state.outbox.postpone(worker.held, delay_ms=LEASE_MS, why="session_is_sending")
        if verdict != "sending":
            return ""
        newest = self.newest[worker.held.session.session_id]
        assert newest == occurred_ms(worker.held.last), "they had come back or paid"
        return "fenced"

    def is_fenced(self, worker: Worker) -> str:
        held = worker.held
        answer = self.state.people.reserve(worker.person, held.outreach, held.claim, LEAD)
        if answer == "reserved":
            return "reserved"
        if answer in {"capped", "bought", "opted_out"}:
            if answer == "capped":
                by = record(self.state, self.state.people.facts(worker.person).reserved_by)
                assert by["state"] in {"sending", "sent", "unknown"} or "ambiguous" in by, "capped without a contact"
            self.state.outbox.settle(held, "suppressed", reason=answer)
        else:
            self.state.outbox.settle(held, "not_sent", reason=answer, delay_ms=LEASE_MS)
        return ""

    def is_reserved(self, worker: Worker) -> str:
        worker.reply = "not_sent" if worker.late else self.random.choice(REPLIES)
        if worker.reply.startswith("accepted"):
            self.contact(worker)
        return "answered" if worker.late else "posted"

    def is_posted(self, worker: Worker) -> str:
        self.undecided += [worker] if worker.reply == "undecided" else []
        return "answered"

    def is_answered(self, worker: Worker) -> str:
        if worker.reply in {"rejected", "unavailable", "not_sent"} and not worker.held.ambiguous:
            self.state.people.release(worker.person, worker.held.outreach, worker.held.claim)
        return "released"

    def is_released(self, worker: Worker) -> str:
        settle = self.state.outbox.settle
        match worker.reply:
            case "accepted":
                settle(worker.held, "sent")
            case "rejected":
                settle(worker.held, "dead")
            case "unavailable":
                settle(worker.held, "retry", delay_ms=LEASE_MS)
            case "not_sent":
                settle(worker.held, "not_sent")
            case _:
                parked = not self.api_knows_keys or self.random.random() < 0.5
                settle(worker.held, "unknown" if parked else "retry", delay_ms=LEASE_MS, ambiguous=True)
        return ""

    # The API

    def api_decides(self) -> None:
        """Accept a request that nobody waits for any more, or never process it."""
        if self.undecided:
            worker = self.undecided.pop(self.random.randrange(len(self.undecided)))
            if self.random.random() < 0.5:
                self.contact(worker)

    def contact(self, worker: Worker) -> None:
        """Contact somebody; an API that knows keys answers those of the same outreach again, and contacts nobody."""
        before = self.contacted.get(worker.person)
        known = self.api_knows_keys and before == worker.held.outreach
        assert before is None or known, "a second contact of one person"
        self.contacted[worker.person] = worker.held.outreach

    # Time

    def lease_passes(self) -> None:
        """Move everything that holds a moment into the past, by a little more than a lease."""
        client: Any = self.state.client
        for number in map(partition_of, PEOPLE):
            for key in (self.state.keys.due(number), self.state.keys.leased(number)):
                for member, score in client.zrange(key, 0, -1, withscores=True):
                    client.zadd(key, {member: score - LEASE_MS - SECOND_MS})
        for person in set(PEOPLE.values()):
            key = f"{self.state.keys.person(person)}reserved"
            if client.exists(key):
                outreach, claim, at = text_at(self.state, key).split(":")
                client.set(key, f"{outreach}:{claim}:{int(at) - LEASE_MS - SECOND_MS}", keepttl=True)
        for worker in self.workers:
            worker.late = True

    # What must hold

    def check(self) -> None:
        sending: list[str] = []
        ended: dict[str, int] = {}
        contacts = dict.fromkeys(PEOPLE, 0)
        for outreach, found in self.outreaches().items():
            state, session, places = found["state"], found["session"], places_of(self.state, outreach)
            if state in OPEN:
                assert len(places) == 1, "not in exactly one place"
                assert places <= {"due", "leased"}
                sending += [session] * (state == "sending")
            else:
                assert places == ({state} if state in {"dead", "unknown"} else set())
                assert "body" not in found
                ended[state] = ended.get(state, 0) + 1
                contacts[session] += state in {"sent", "unknown"}
            assert ("contacted_at" in found) == (state in {"sent", "unknown"})
            if outreach in self.contacted.values():
                assert state in OPEN | {"sent", "unknown"}, "a contact was made, and the record says otherwise"
            assert state != "sent" or self.contacted[PEOPLE[session]] == outreach, "sent, and nobody was contacted"
        assert len(sending) == len(set(sending)), "two outreaches of one session are sending"
        counted: dict[str, int] = {}
        for name, number in counters(self.state).items():
            counted[name.partition(".")[0]] = counted.get(name.partition(".")[0], 0) + number
        assert counted == ended, "not exactly one outcome each"
        silent = sum(all_counters(self.state, "silent.").values())
        still_open = sum(found["state"] in OPEN for found in self.outreaches().values())
        assert silent == sum(counted.values()) + still_open, "the counters do not add up"
        assert set(all_counters(self.state, "sessions").values()) == {len(PEOPLE)}
        for session in self.newest:
            is_now = stored(self.state, session)
            assert is_now.contacts == contacts[session]
            assert len(lanes_of(self.state, session)) == (is_now.state == "waiting"), "in no lane, or in two"
            assert is_now.state == "abandoned" or not is_now.outreach
        assert immortal_keys(self.state.client) == []

    def outreaches(self) -> dict[str, dict[str, str]]:
        keys = [key.decode() for key in self.state.client.scan_iter("*:outreach:*", count=1000)]
        return {key.rpartition(":")[2]: texts(self.state, key) for key in keys}
