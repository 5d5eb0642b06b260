"""A model of the promise, and a machine that tries to break it: whatever happens, in whatever order, between any steps.

The machine drives the real parts (ingest, claim, dispatch, attempt, reap) over a server, with a stand-in for the API.
The model beside it is small: who said what and when, and who was contacted. After every step both must agree.
"""

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from detectors.sequence import occurred_ms
from state.decisions import RETRY_UNKNOWN_AFTER_MS, Operator
from state.keys import partition_of
from state.people import person_of
from tasks.delivery import yuno
from tasks.delivery.attempt import attempt
from tasks.delivery.settings import DeliverySettings
from tasks.policy.settings import ContactSettings
from tests.support.attempts import deps_of
from tests.support.helpers import (
    DAY_MS,
    HOUR_MS,
    LEASE_MS,
    SECOND_MS,
    SECRET,
    Event,
    counters,
    dispatch,
    event,
    lanes_of,
    let_reservations_age,
    now_ms,
    places_of,
    record,
    stored,
    sweep,
    texts,
)
from tests.support.immortality import OPEN, immortal_keys
from tests.support.ingesting import ingest_of, opened
from tests.support.interruptions import INTERRUPTIONS, POINTS, Crash, Hooked, Interruption, Tell
from worker.runtime import State

# Four people, of whom two have the same number in both sessions, and two another number and the same e-mail address.
PHONES = tuple(f"+57300123456{number}" for number in range(4))
SECOND_PHONES = (*PHONES[:2], "+573001234577", "+573001234588")
# Two sessions of each person, who is named by the first number.
OWNERS = {f"{phone[-1]}-{number}": phone for phone in PHONES for number in (1, 2)}
SAID = {
    f"{phone[-1]}-{number}": {"phone_number": given, "email": f"{phone[-1]}@example.com"}
    for number, numbers in ((1, PHONES), (2, SECOND_PHONES))
    for phone, given in zip(PHONES, numbers, strict=True)
}
IDENTITIES = sorted({text for said in SAID.values() for text in said.values()})
SESSIONS = sorted(OWNERS)
STAGES = ("cart_review", "checkout", "payment")
REPLIES: dict[str, yuno.Reply] = {
    "accepted": yuno.Accepted(200),
    "accepted_but_lost": yuno.Undecided("read_timeout"),
    "lost": yuno.Undecided("read_timeout"),
    "rejected": yuno.Rejected("http_400"),
    "unavailable": yuno.TryAgain("http_503"),
    "too_late": yuno.TryAgain("too_late", counted=False),
    "unauthorised": yuno.Unauthorised("http_401"),
}

STREAMS = 2


class Api:
    """Answers as it is told, and remembers whom it contacted."""

    def __init__(self, machine: "Machine", answer: str, tell: Tell) -> None:
        self._machine, self._answer, self._tell = machine, answer, tell

    def post(self, body: str, key: str, *_args: object, **_named: object) -> yuno.Reply:
        document = json.loads(body)
        self._tell("post", "before", None)
        if self._answer.startswith("accepted"):
            self._machine.is_contacted(document["session"]["session_id"], key)
        self._tell("post", "after", None)
        return REPLIES[self._answer]


class Machine(RuleBasedStateMachine):
    """Everybody who acts: shoppers, ingest, the sweep, dispatch, workers, the API, operators, and time."""

    def __init__(self, state: State) -> None:
        super().__init__()
        state.client.flushall()
        opened(state, STREAMS)
        self.state = state
        # Long enough ago for all that follows, and within the time for which an order is remembered.
        self.at_ms = now_ms(state) - 6 * HOUR_MS
        self.contact = ContactSettings.model_validate({"quiet_hours": "off", "law": "off"})
        self.published: dict[str, int] = {}
        self.applied: dict[str, int] = {}
        self.waiting: list[tuple[str, str, int]] = []
        self.bought: set[str] = set()
        self.opted_out: set[str] = set()
        self.contacts: dict[str, list[str]] = {phone: [] for phone in PHONES}
        self.keys: set[str] = set()
        self.delivery = DeliverySettings()
        self.operator = Operator(state.scripts, state.keys)
        self.messages: list[tuple[str, dict[str, int]]] = []
        self.fenced: dict[str, int] = {}
        self.busy = False

    # The shop and ingest

    @initialize(on_unknown=st.sampled_from(["park", "park", "retry"]))
    def begins(self, on_unknown: str) -> None:
        """`retry`: against an API that honours the key."""
        self.delivery = DeliverySettings.model_validate({"on_unknown": on_unknown})
        for session in SESSIONS:
            self.happens(session, "activity", "checkout")
        self.ingest()
        self.sweep(set(STAGES))
        self.dispatch(1)

    @rule(session=st.sampled_from(SESSIONS), stage=st.sampled_from(STAGES))
    def falls_silent(self, session: str, stage: str) -> None:
        self.comes_back(session, stage)
        self.ingest()
        self.sweep(set(STAGES))
        self.dispatch(1)

    @rule(session=st.sampled_from(SESSIONS), stage=st.sampled_from(STAGES))
    def comes_back(self, session: str, stage: str) -> None:
        self.happens(session, "activity", stage)

    @rule(session=st.sampled_from(SESSIONS))
    def pays(self, session: str) -> None:
        self.happens(session, "order_completed", None)

    @rule(phone=st.sampled_from(PHONES))
    def opts_out(self, phone: str) -> None:
        self.publish(event("opt_out", None, stage=None, customer={"phone_number": phone}), ("", "opt_out", 0), phone)

    def happens(self, session: str, kind: str, stage: str | None) -> None:
        customer = {"full_name": "Jane Doe", **SAID[session], "country_code": "CO"}
        made = event(kind, session, stage=stage, customer=customer, cart={"total_value": 1, "items": [{"name": "A"}]})
        self.at_ms += SECOND_MS
        self.published[session] = self.at_ms
        self.publish(made, (session, kind, self.at_ms), OWNERS[session])

    def publish(self, made: Event, what: tuple[str, str, int], phone: str) -> None:
        if not what[2]:
            self.at_ms += SECOND_MS
        self.waiting.append((phone, *what[1:]) if not what[0] else what)
        stream = self.state.keys.events_of(self.at_ms // SECOND_MS % STREAMS)
        self.state.scripts.client.execute_command("XADD", stream, f"{self.at_ms}-0", "event", json.dumps(made))

    @rule()
    def ingest(self) -> None:
        ingest_of(self.state).step()
        for name, kind, at_ms in self.waiting:
            if kind == "opt_out":
                self.opted_out.add(name)
                continue
            self.applied[name] = at_ms
            if kind == "order_completed":
                self.bought.add(OWNERS[name])
        self.waiting.clear()

    # The sweep and dispatch

    @rule(stages=st.sets(st.sampled_from(STAGES), min_size=1))
    def sweep(self, stages: set[str]) -> None:
        sweep(self.state, silent_for_ms=0, max_age_ms=100 * DAY_MS, lanes=[f"{stage}.web.idle" for stage in stages])

    @rule(times=st.sampled_from([0, 1, 1, 1, 2]))
    def dispatch(self, times: int) -> None:
        """A message may get lost, or come twice; what had reached the stream by now counts for it."""
        self.messages += [(outreach, dict(self.published)) for outreach in dispatch(self.state)] * times

    def reap(self) -> None:
        self.state.outbox.reap()

    # Workers

    @precondition(lambda self: self.messages)
    @rule(place=st.integers(0, 50), answer=st.sampled_from(sorted(REPLIES)))
    def attempts_in_peace(self, place: int, answer: str) -> None:
        self.attempts(place, answer, None, "")

    @precondition(lambda self: self.messages)
    @rule(
        place=st.integers(0, 50),
        answer=st.sampled_from(sorted(REPLIES)),
        interruption=st.tuples(st.sampled_from(POINTS), st.sampled_from(INTERRUPTIONS)),
        session=st.none() | st.sampled_from(SESSIONS),
        then=st.sampled_from(["", "again", "again", "operator"]),
    )
    def attempts_while_something_happens(
        self, place: int, answer: str, interruption: Interruption, session: str | None, then: str
    ) -> None:
        """Something happens to any session, or rather often (None) to that of the attempt.

        `then`: once its lease is over, the same outreach is dispatched again, or an operator has it retried.
        """
        outreach = self.messages[place % len(self.messages)][0]
        self.attempts(place, answer, interruption, session or record(self.state, outreach)["session"])
        if then:
            self.lease_passes()
            self.reap()
            if then == "operator":
                self.operator_retries(outreach)
            self.dispatch(1)
            for number in [number for number, (found, _) in enumerate(self.messages) if found == outreach][-1:]:
                self.attempts(number, "accepted", None, "")

    @rule(
        session=st.sampled_from(SESSIONS),
        answer=st.sampled_from(["accepted", "accepted", "lost"]),
        point=st.sampled_from([("post", "after"), ("post", "after"), ("reserve", "after"), ("fence", "after")]),
        then=st.sampled_from(["again", "operator"]),
    )
    def dies_around_its_request(self, session: str, answer: str, point: tuple[str, str], then: str) -> None:
        """The likeliest way to a second contact: whoever takes it up next must know that there may have been one."""
        if not self.messages:
            self.falls_silent(session, "checkout")
        if self.messages:
            self.attempts_while_something_happens(-1, answer, (point, "crash"), None, then)

    @precondition(lambda self: self.messages)
    @rule(place=st.integers(0, 50), answer=st.sampled_from(["accepted", "unavailable", "lost"]))
    def comes_back_during_the_request_and_falls_silent_again(self, place: int, answer: str) -> None:
        """Then there are two outreaches of one session, and the earlier one may still be under way."""
        outreach = self.messages[place % len(self.messages)][0]
        session = record(self.state, outreach)["session"]
        self.attempts(place, answer, (("post", "before"), "another_silence"), session)

    def operator_retries(self, outreach: str) -> None:
        """An operator does that who has found out, a quarter of an hour later, that it did not arrive."""
        found = record(self.state, outreach)
        if found["state"] not in {"dead", "unknown"} or self.contacts[OWNERS[found["session"]]]:
            return
        if found["state"] == "unknown":
            before = int(found["ended_at"]) - RETRY_UNKNOWN_AFTER_MS
            self.state.client.hset(self.state.keys.outreach(outreach), "ended_at", before)
        retry = self.operator.retry_unknown if found["state"] == "unknown" else self.operator.retry_dead
        retry([outreach])

    def attempts(self, place: int, answer: str, interruption: Interruption | None, session: str) -> None:
        """One worker makes one attempt; at any call it may die, or stand still while something else happens."""
        outreach, known = self.messages.pop(place % len(self.messages))
        interrupted = False

        def tell(name: str, when: str, done: object) -> None:
            nonlocal interrupted
            if name == "fence" and getattr(done, "verdict", "") == "sending":
                self.passes_fence(outreach, known)
            if name == "reserve" and done == "reserved":
                self.is_reserved(outreach)
            if interruption is not None and (name, when) == interruption[0] and not (interrupted or self.busy):
                interrupted = True
                self.interrupt(interruption[1], session)

        base = deps_of(self.state, delivery=self.delivery, contact=self.contact)
        hooked = replace(
            base,
            outbox=Hooked(self.state.outbox, tell),  # type: ignore[arg-type]
            people=Hooked(self.state.people, tell),  # type: ignore[arg-type]
            client=Api(self, answer, tell),  # type: ignore[arg-type]
        )
        try:
            attempt(outreach, hooked)
        except Crash:
            pass
        finally:
            self.busy = False

    def interrupt(self, what: str, session: str) -> None:
        match what:
            case "crash":
                raise Crash
            case "lease_passes":
                self.lease_passes()
                self.reap()
            case "comes_back" | "pays":
                self.happens(session, "activity" if what == "comes_back" else "order_completed", "payment")
                self.ingest()
            case "opts_out":
                self.opts_out(OWNERS[session])
                self.ingest()
            case "settings_change":
                self.settings_change(50.0, 2)
            case "another_silence":
                self.busy = True
                self.falls_silent(session, "checkout")
                while self.messages:
                    self.attempts(0, "accepted", None, session)
            case _:
                self.busy = True
                if self.messages:
                    self.attempts(0, "accepted", None, session)

    # Operators, and time

    @rule(holdout=st.sampled_from([0.0, 50.0, 100.0]), per_session=st.integers(1, 3))
    def settings_change(self, holdout: float, per_session: int) -> None:
        self.contact = self.contact.model_copy(update={"holdout": holdout, "max_per_session": per_session})

    @rule()
    def time_passes(self) -> None:
        self.lease_passes()
        self.reap()
        self.dispatch(1)

    def lease_passes(self) -> None:
        """Move everything that holds a moment into the past, by a little more than a lease."""
        client: Any = self.state.client
        # Whatever stopped the sending, by then it goes on.
        client.delete(f"{self.state.keys.control}sending")
        for number in map(partition_of, SESSIONS):
            for key in (self.state.keys.due(number), self.state.keys.leased(number)):
                for member, score in client.zrange(key, 0, -1, withscores=True):
                    client.zadd(key, {member: score - LEASE_MS - SECOND_MS})
        for identity in IDENTITIES:
            let_reservations_age(self.state, person_of(identity, SECRET), LEASE_MS + SECOND_MS)

    # What must hold

    def is_contacted(self, session: str, key: str) -> None:
        phone = OWNERS[session]
        if self.delivery.on_unknown == "retry" and key in self.keys:
            return
        self.keys.add(key)
        assert not self.contacts[phone], f"I1: a second contact of one person, for {session}"
        self.contacts[phone].append(session)

    def passes_fence(self, outreach: str, known: dict[str, int]) -> None:
        found = record(self.state, outreach)
        session, last_ms = found["session"], occurred_ms(int(found["last"]))
        assert self.applied[session] <= last_ms, "I3: newer activity had been applied before the fence"
        assert known[session] <= last_ms, "I3: newer activity had reached the stream before it was dispatched"

    def is_reserved(self, outreach: str) -> None:
        phone = OWNERS[record(self.state, outreach)["session"]]
        assert phone not in self.opted_out, "reserved who does not want to be contacted"
        assert phone not in self.bought, "reserved who has bought"

    @invariant()
    def everything_is_in_one_place_and_counted_once(self) -> None:
        ended: dict[str, int] = {}
        contacts = dict.fromkeys(SESSIONS, 0)
        sending: list[str] = []
        for outreach, found in self.outreaches().items():
            state, places = found["state"], places_of(self.state, outreach)
            if state in OPEN:
                assert len(places) == 1
                assert places <= {"due", "leased"}
                sending += [found["session"]] * (state == "sending")
            else:
                assert places == ({state} if state in {"dead", "unknown"} else set())
                ended[state] = ended.get(state, 0) + 1
                contacts[found["session"]] += state in {"sent", "unknown"} or found.get("reason") == "holdout"
        assert len(sending) == len(set(sending)), "two outreaches of one session are sending"
        counted: dict[str, int] = {}
        silent = 0
        for name, number in counters(self.state).items():
            outcome = name.partition(".")[0]
            counted[outcome] = counted.get(outcome, 0) + number
        silent = self.silent()
        assert counted == ended, "not exactly one outcome each"
        assert silent == len(self.outreaches()), "the counters do not add up"
        for session in self.applied:
            is_now = stored(self.state, session)
            assert is_now.contacts == contacts[session]
            assert len(lanes_of(self.state, session)) == (is_now.state == "waiting"), "in no lane, or in two"
        assert immortal_keys(self.state.client) == []

    def silent(self) -> int:
        found = self.state.client.scan_iter("*:stats:*")
        return sum(int(n) for key in found for name, n in texts(self.state, key).items() if name.startswith("silent."))

    def teardown(self) -> None:
        """I2: when everybody has died and time has passed, every outreach comes to its end."""
        self.ingest()
        self.messages.clear()
        for _ in range(3):
            self.lease_passes()
            self.reap()
            self.messages += [(outreach, dict(self.published)) for outreach in dispatch(self.state)]
            while self.messages:
                self.attempts(0, "rejected", None, SESSIONS[0])
        assert not [found for found in self.outreaches().values() if found["state"] in OPEN], "something is stuck"
        self.everything_is_in_one_place_and_counted_once()

    def outreaches(self) -> dict[str, dict[str, str]]:
        keys = [key.decode() for key in self.state.client.scan_iter("*:outreach:*", count=1000)]
        return {key.rpartition(":")[2]: texts(self.state, key) for key in keys}
