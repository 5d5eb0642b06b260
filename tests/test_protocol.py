"""The protocol of an attempt under whatever may happen between its steps: crashes, stalls, doubled messages, returns.

A random walk over the real scripts. A stand-in for the API remembers whom it contacted; what must hold is looked at
after every step, and in the end nothing may be stuck.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from detectors.sequence import occurred_ms
from state.keys import partition_of
from state.outbox import Taken
from tests.helpers import (
    BODY,
    DAY_MS,
    JANE,
    LEASE_MS,
    SECOND_MS,
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

# The first two are sessions of one person.
PEOPLE = {"s-1": "aa" * 32, "s-2": "aa" * 32, "s-3": "bb" * 32}
KINDS = ["activity", "order_completed"]
REPLIES = ["accepted", "accepted_but_lost", "lost", "undecided", "rejected", "unavailable"]


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


class Protocol(RuleBasedStateMachine):
    """Every rule is a step of somebody: a shopper, the sweep, dispatch, a worker, the API, or time."""

    state: ClassVar[State]

    def __init__(self) -> None:
        super().__init__()
        self.state.client.flushall()
        self.at_ms = now_ms(self.state) - 2 * DAY_MS
        self.newest: dict[str, int] = {}
        self.messages: list[str] = []
        self.workers: list[Worker] = []
        self.undecided: list[Worker] = []
        self.contacted: dict[str, str] = {}

    # The shop

    @initialize()
    def two_sessions_of_one_person_fall_silent(self) -> None:
        for session in ("s-1", "s-2"):
            self.somebody_falls_silent(session)

    @rule(session=st.sampled_from(sorted(PEOPLE)), kind=st.sampled_from(KINDS))
    def something_happens(self, session: str, kind: str) -> None:
        self.at_ms += SECOND_MS
        apply(self.state, arrived(event(kind, session, customer=JANE), self.at_ms))
        self.newest[session] = self.at_ms
        if kind == "order_completed":
            self.state.people.mark_bought(PEOPLE[session], self.at_ms + DAY_MS)

    @rule(session=st.sampled_from(sorted(PEOPLE)))
    def somebody_falls_silent(self, session: str) -> None:
        self.something_happens(session, "activity")
        sweep(self.state, silent_for_ms=0, max_age_ms=100 * DAY_MS)

    # Dispatch, and the broker

    @rule(copies=st.sampled_from([2, 1, 0]))
    def what_is_due_is_dispatched_and_the_message_doubled_or_lost(self, copies: int) -> None:
        self.messages += dispatch(self.state) * copies

    @rule()
    def leases_that_ran_out_are_taken_back(self) -> None:
        self.state.outbox.reap()

    # Workers

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def a_worker_takes_a_message(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.messages))
        self.messages.remove(message)
        held = self.state.outbox.take(message)
        if held is not None:
            self.workers.append(Worker(held))

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), steps=st.sampled_from([1, 2, 3, 6]))
    def a_worker_does_its_next_steps(self, data: st.DataObject, steps: int) -> None:
        worker = data.draw(st.sampled_from(self.workers))
        while worker.step and steps:
            worker.step = getattr(self, f"_{worker.step}")(worker, data)
            steps -= 1
        if not worker.step:
            self.workers.remove(worker)

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def a_worker_is_killed(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.workers))
        self.workers.remove(worker)
        if worker.step == "posted":
            self.undecided.append(worker)

    def _taken(self, worker: Worker, data: st.DataObject) -> str:
        match data.draw(st.sampled_from(["yes"] * 8 + ["no", "later"])):
            case "no":
                self.state.outbox.end_unsent(worker.held, "suppressed", "no_cart")
                return ""
            case "later":
                self.state.outbox.postpone(worker.held, delay_ms=LEASE_MS, why="quiet_hours")
                return ""
        session = worker.held.session.session_id
        # Its clock is read just before: what has passed until then has nothing to do with the lease it is given.
        worker.late = False
        verdict = self.state.outbox.fence(worker.held, body=BODY, key="key").verdict
        if verdict == "busy":
            self.state.outbox.postpone(worker.held, delay_ms=LEASE_MS, why="session_is_sending")
        if verdict != "sending":
            return ""
        assert self.newest[session] == occurred_ms(worker.held.last), "they had come back or paid"
        return "fenced"

    def _fenced(self, worker: Worker, _: st.DataObject) -> str:
        held = worker.held
        answer = self.state.people.reserve(worker.person, held.outreach, held.claim)
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

    def _reserved(self, worker: Worker, data: st.DataObject) -> str:
        if worker.late:
            worker.reply = "not_sent"
            return "answered"
        worker.reply = data.draw(st.sampled_from(REPLIES))
        if worker.reply.startswith("accepted"):
            self._contact(worker)
        return "posted"

    def _posted(self, worker: Worker, _: st.DataObject) -> str:
        if worker.reply == "undecided":
            self.undecided.append(worker)
        return "answered"

    def _answered(self, worker: Worker, _: st.DataObject) -> str:
        if worker.reply in {"rejected", "unavailable", "not_sent"} and not worker.held.ambiguous:
            self.state.people.release(worker.person, worker.held.outreach, worker.held.claim)
        return "released"

    def _released(self, worker: Worker, data: st.DataObject) -> str:
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
                parked = data.draw(st.booleans())
                settle(worker.held, "unknown" if parked else "retry", delay_ms=LEASE_MS, ambiguous=True)
        return ""

    # The API

    @precondition(lambda self: self.undecided)
    @rule(data=st.data(), accepts=st.booleans())
    def the_api_decides_what_nobody_waits_for(self, data: st.DataObject, accepts: bool) -> None:  # noqa: FBT001
        worker = data.draw(st.sampled_from(self.undecided))
        self.undecided.remove(worker)
        if accepts and worker.reply != "rejected":
            self._contact(worker)

    def _contact(self, worker: Worker) -> None:
        """The same outreach has the same key: the API answers it again and contacts nobody."""
        before = self.contacted.setdefault(worker.person, worker.held.outreach)
        assert before == worker.held.outreach, "a second contact of one person"

    # Time

    @rule()
    def a_lease_passes(self) -> None:
        """Move everything that holds a moment into the past."""
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

    @invariant()
    def every_outreach_is_where_its_state_says(self) -> None:
        sending: list[str] = []
        ended: dict[str, int] = {}
        contacts = dict.fromkeys(PEOPLE, 0)
        for outreach, found in self._outreaches().items():
            state, session = found["state"], found["session"]
            places = places_of(self.state, outreach)
            if state in OPEN:
                assert len(places & {"due", "leased"}) == 1
                assert places <= {"due", "leased"}
                sending += [session] * (state == "sending")
            else:
                assert places == ({state} if state in {"dead", "unknown"} else set())
                assert "body" not in found
                ended[state] = ended.get(state, 0) + 1
                contacts[session] += state in {"sent", "unknown"}
            if outreach in self.contacted.values():
                assert state in OPEN | {"sent", "unknown"}, "a contact was made, and the record says otherwise"
            if state == "sent":
                assert self.contacted[PEOPLE[session]] == outreach
        assert len(sending) == len(set(sending)), "two outreaches of one session are sending"
        counted: dict[str, int] = {}
        for name, number in counters(self.state).items():
            counted[name.partition(".")[0]] = counted.get(name.partition(".")[0], 0) + number
        assert counted == ended, "not exactly one outcome each"
        assert {session: stored(self.state, session).contacts for session in PEOPLE} == contacts

    @invariant()
    def every_session_is_where_its_state_says(self) -> None:
        for session in self.newest:
            found = stored(self.state, session)
            assert len(lanes_of(self.state, session)) == (found.state == "waiting")
            assert (found.state == "abandoned") == bool(found.outreach)
        assert immortal_keys(self.state.client) == []

    def _outreaches(self) -> dict[str, dict[str, str]]:
        keys = [key.decode() for key in self.state.client.scan_iter("*:outreach:*", count=1000)]
        return {key.rpartition(":")[2]: texts(self.state, key) for key in keys}

    def teardown(self) -> None:
        """When all workers have died, everything comes to an end by itself."""
        for _ in range(2):
            self.a_lease_passes()
            self.state.outbox.reap()
            for outreach in dispatch(self.state):
                held = self.state.outbox.take(outreach)
                assert held is None or self.state.outbox.end_unsent(held, "expired", "too_old")
        assert not [found for found in self._outreaches().values() if found["state"] in OPEN], "something is stuck"
        self.every_outreach_is_where_its_state_says()


@pytest.mark.xdist_group("valkey")
def test_whatever_happens_between_the_steps_the_promise_is_kept(real_state: State) -> None:
    Protocol.state = real_state
    run_state_machine_as_test(
        Protocol,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
