"""A state machine that lets anything happen to the real parts in any order, and compares them with the protocol model.

Shoppers, ingest, the sweep, dispatch, operators and time take the steps of `tests.model`. An attempt chooses its own
next step: the model must allow it, and afterwards both must have the same state.
"""

import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tasks.delivery import yuno
from tests.model import outbox, shop
from tests.model.guards import NOTHING
from tests.model.invariants import ends, violation
from tests.model.mixes import REPLIES, Mix
from tests.model.shop import MISDATED
from tests.model.states import World, with_workers
from tests.model.steps import begin, steps
from tests.model.words import words
from tests.model.worker import Choice, goes_on
from tests.support.conformance import agree
from tests.support.durations import SECOND_MS
from tests.support.events import event
from tests.support.ingest_support import ingest_of, publish_raw
from tests.support.key_leak_checker import immortal_keys
from tests.support.states import LEASE_MS
from tests.support.stepped_attempt import SteppedAttempt
from tests.support.system_under_test import Real
from worker.runtime import State

ANSWERS: dict[str, yuno.Reply] = {
    "accepted": yuno.Accepted(200),
    "accepted_but_lost": yuno.Undecided("read_timeout"),
    "lost": yuno.Undecided("read_timeout"),
    "undecided": yuno.Undecided("read_timeout"),
    "rejected": yuno.Rejected("http_400"),
    "unavailable": yuno.TryAgain("http_503"),
}
OF_INGEST = {"apply", "mark", "acknowledge", "ingest_crashes"}
OF_ATTEMPTS = {"fence", "reserve", "release", "post", "settle", "postpone", "end_unsent"}
RARE = {"worker_dies", "expire", "lease_ends", "reservation_ages"}
EVENTS = ("activity", "order", "activity", MISDATED, "refusal", "activity") * 3
IDENTITIES = (((0,), (1,), (0,), (1,)), ((0, 2), (1, 2), (0,), (1,)))
"""The identities of each session's person."""


class RealAttempts(Real):
    """The real parts, with attempts that choose their steps, and the real ingest."""

    def __init__(self, state: State, mix: Mix) -> None:
        self.attempts: dict[tuple[int, int], SteppedAttempt] = {}
        self._repeats = mix.repeats
        super().__init__(state, mix)

    def take(self, place: int) -> None:
        found = SteppedAttempt(self.state.scripts, self.outreaches[place], repeats=self._repeats)
        if found.taken is not None:
            self.claims.setdefault(place, []).append(found.taken.token)
            self.attempts[place, self.nth_claim(place, found.taken.token)] = found

    def worker_dies(self, place: int, claim: int) -> None:
        self.attempts.pop((place, claim)).die()

    def refuses(self, number: int, session: int) -> None:
        """Let the person of a session refuse, in a separate session."""
        customer = {**self.customer(session), "consent": {"call": False, "whatsapp": False}}
        made = event("exit", f"refuses-{number}", None, customer=customer)
        publish_raw(self.state, json.dumps(made).encode(), at=f"{self.at_ms(number)}-0")

    def passes(self, place: int, claim: int) -> None:
        """Let the time of a lease pass on the clock of its worker."""
        if found := self.attempts.get((place, claim)):
            found.clock_s += (LEASE_MS + SECOND_MS) / 1000


class Machine(RuleBasedStateMachine):
    """All actors, on a server that this class empties."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state
        self.world: World
        self.real: RealAttempts
        self.mix: Mix
        self.requests = 0

    @initialize(repeats=st.booleans(), identities=st.sampled_from(IDENTITIES))
    def begins(self, repeats: bool, identities: tuple[tuple[int, ...], ...]) -> None:  # noqa: FBT001 - of Hypothesis
        """`repeats`: against an API that honours the key."""
        self._state.client.flushall()
        self.mix = Mix(
            "machine",
            sessions=4,
            people=3,
            identities=identities,
            events=EVENTS,
            outreaches=12,
            claims=(12,),
            workers=4,
            operator=True,
            repeats=repeats,
        )
        self.world, self.real = begin(self.mix), RealAttempts(self._state, self.mix)
        self.agrees("it begins")

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """Take any step that belongs to neither an attempt nor ingest."""
        found = [choice for choice in steps(self.world, self.mix, NOTHING) if choice[0] not in OF_INGEST | OF_ATTEMPTS]
        if found:
            self.takes(_drawn(data, found))

    @rule(
        data=st.data(),
        times=st.integers(0, 8),
        reply=st.sampled_from(REPLIES),
        is_behind=st.sampled_from([False, False, False, True]),
    )
    def dispatch_hands_out(self, data: st.DataObject, times: int, reply: str, is_behind: bool) -> None:  # noqa: FBT001
        """Let a message of an outreach reach a worker, which takes it and continues, if nothing stops it.

        `is_behind`: not everything that has arrived is applied by then.
        """
        if not is_behind:
            self.ingest_works()
        before = {*self.real.attempts}
        for name in ("lease_due", "take"):
            if found := [choice for choice in steps(self.world, self.mix, NOTHING) if choice[0] == name]:
                self.takes(_drawn(data, found))
        for who in {*self.real.attempts} - before:
            self.go_on(who, times, reply)

    @precondition(lambda self: self.world.stream)
    @rule()
    def ingest_works(self) -> None:
        """Let ingest apply, mark and acknowledge all that has arrived."""
        while self._state.client.xlen(self._state.keys.events):
            ingest_of(self._state).step()
        while self.world.stream:
            world = shop.apply(self.world, 0, NOTHING)
            world = shop.mark(world, 0, NOTHING) if world.stream[0].phase == "applied" else world
            self.world = shop.acknowledge(world, 0)
        self.real.phases.clear()
        self.agrees("ingest works")

    @precondition(lambda self: self.real.attempts)
    @rule(data=st.data(), times=st.integers(1, 8), reply=st.sampled_from(REPLIES))
    def an_attempt_goes_on(self, data: st.DataObject, times: int, reply: str) -> None:
        self.go_on(data.draw(st.sampled_from(sorted(self.real.attempts))), times, reply)

    def go_on(self, who: tuple[int, int], times: int, reply: str) -> None:
        """Let an attempt take this many steps, or fewer if it ends."""
        for _ in range(times):
            if who in self.real.attempts:
                self.goes_on(*who, reply)

    def goes_on(self, place: int, claim: int, reply: str) -> None:
        """Let an attempt take its next step, which the model must allow."""
        real = self.real.attempts[place, claim]
        (worker,) = (one for one in self.world.workers if (one.outreach, one.token) == (place, claim))
        assert real.next is not None
        name, result = real.next
        real.reply = ANSWERS[reply]
        allowed = {_named(choice): choice for choice in goes_on(self.world, worker, self.mix, NOTHING)}
        after = self.world
        if name == "end_unsent":
            # The policy can decide this before the fence at any time; the model has only one such end.
            assert worker.step == "taken", f"ends before the fence, and is {worker.step}"
            after = with_workers(outbox.end_unsent(self.world, place, claim, result, NOTHING)[1], worker, None)
        elif name != "looks":
            wanted = (name, "not_sent" if worker.late else reply) if name == "post" else (name, result)
            assert wanted in allowed, f"the attempt would {wanted}, and the model only {sorted(allowed)}"
            after = allowed[wanted][2]
        self.requests += name == "post"
        real.go()
        assert name != "post" or real.was_late == worker.late
        if real.next is None:
            del self.real.attempts[place, claim]
        self.world = after
        self.agrees(f"outreach {place} (claim {claim}): {name} {result}")

    def does(self, name: str, *arguments: object) -> None:
        """Take the step with this name whose arguments begin with these."""
        found = steps(self.world, self.mix, NOTHING)
        self.takes(next(one for one in found if one[0] == name and one[1][: len(arguments)] == arguments))

    def takes(self, choice: Choice) -> None:
        """Take a step of the model in both worlds."""
        name, arguments, after = choice
        if name == "publish" and arguments[1] == "refusal":
            self.real.refuses(after.published, int(str(arguments[0])))
        else:
            self.real.do(self.world, name, arguments, after)
        if name == "lease_ends":
            place = int(str(arguments[0]))
            self.real.passes(place, self.world.outreaches[place].token)
        self.world = after
        self.agrees(words((name, arguments)))

    def agrees(self, what: str) -> None:
        """Compare the two, and check the invariants."""
        self.real.phases = {entry.number: entry.phase for entry in self.world.stream}
        steps_of = {(one.outreach, one.token): f"{one.step} {one.reply}".strip() for one in self.world.workers}
        assert steps_of.keys() == self.real.attempts.keys(), f"after '{what}' other attempts are under way"
        self.real.steps = steps_of
        agree(self.real, self.world, [what])
        wrong = violation(self.world, self.mix.most_takes, self.mix.limit)
        assert not wrong, wrong

    def teardown(self) -> None:
        """I2: once all workers have crashed and time has passed, every outreach reaches its end."""
        for found in self.real.attempts.values():
            found.die()
        assert all(ends(self.world, place, self.mix.most_takes) for place in range(len(self.world.outreaches)))
        assert immortal_keys(self._state.client) == []


def _named(choice: Choice) -> tuple[str, str]:
    """Return an attempt's step in the attempt's terms: its name, and the reply or the result."""
    name, arguments, _ = choice
    return name, str(arguments[2]) if len(arguments) > 2 else ""


def _drawn(data: st.DataObject, found: list[Choice]) -> Choice:
    """Draw the kind of a step, then one of this kind."""
    kinds = sorted({name for name, _, _ in found})
    # Early ends of an attempt or an outreach are drawn less often than all others.
    name = data.draw(st.sampled_from(sorted(kinds * 3, key=RARE.__contains__)[: -2 * len(RARE & {*kinds}) or None]))
    of_kind = [choice for choice in found if choice[0] == name]
    place = data.draw(st.integers(0, len(of_kind) - 1))
    return of_kind[place]
