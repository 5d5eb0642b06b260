"""The real scripts, driven by steps named as in the model, and read in the model's form.

Time moves by hand: the model's end of a lease moves that lease into the past.
"""

import json
from typing import Any

from detectors.flow import PLATFORMS, STAGES
from detectors.lanes import LANES
from detectors.sequence import occurred_ms
from state.decisions import Operator
from state.erasure import Erasure
from state.event_stream import StreamEntry
from state.limit import Limit
from state.outbox import Taken
from state.people import person_of
from state.person_marks import ConsentAnswer, Marks, PersonMention
from tests.model.mixes import Mix
from tests.model.shop import MISDATED
from tests.model.states import NONE, World
from tests.support.durations import DAY_MS, HOUR_MS, SECOND_MS
from tests.support.events import apply, event
from tests.support.outreaches import BODY, sweep
from tests.support.real_overseers import Overseers
from tests.support.states import CAP_MS, CONTACT_REF, SECRET
from tests.support.stored_state import now_ms, stored
from worker.runtime import State

PLACES = [(stage, platform) for stage in STAGES for platform in PLATFORMS]
NEXT = {"sending": "fenced", "busy": "busy"}
KINDS = {"activity": "activity", MISDATED: "activity", "order": "order_completed", "refusal": "opt_out"}


class Real(Overseers):
    """All actors, on the real scripts."""

    def __init__(self, state: State, mix: Mix) -> None:
        state.streams.first.create_group()
        self.state = state
        self.operator = Operator(state.scripts, state.keys)
        self.erasure = Erasure(state.scripts, state.keys, [lane.name for lane in LANES])
        self.began_ms = now_ms(state) - 6 * HOUR_MS
        self.limits = (Limit(mix.limit, CAP_MS),)
        self.sessions = [f"s-{number}" for number in range(mix.sessions)]
        self.identities = mix.identities or tuple((number % mix.people,) for number in range(mix.sessions))
        called = {own[0] for own in self.identities}
        self.people = [person_of(_phone(n) if n in called else _mail(n), SECRET) for n in range(mix.people)]
        self.outreaches: list[str] = []
        self.held: dict[tuple[int, int], Taken] = {}
        self.claims: dict[int, list[int]] = {}
        """The tokens of each outreach: the scripts count by the clock, the model one by one."""
        self.steps: dict[tuple[int, int], str] = {}
        self.reserved: dict[tuple[int, int], int] = {}
        self.phases: dict[int, str] = {}
        self.events: dict[int, tuple[StreamEntry, int, str]] = {}
        self.told: dict[int, int] = {}
        for number in range(mix.sessions):
            entry = self.published(1, number, "activity", f"-{number}")
            apply(state, entry)
            state.streams.first.acknowledge([entry.id])
            own = self.of_session(number)
            named = [PersonMention(one, self.sessions[number], self.at_ms(1), *(set(own) - {one})) for one in own]
            state.people.send_marks(named, {}).result()
        for number in range(min(mix.sessions, mix.outreaches)):
            self.claim(number)

    def do(self, world: World, name: str, arguments: tuple[object, ...], after: World) -> None:
        """Take the step that led the model from one world to the next."""
        match name:
            case "publish":
                session = int(str(arguments[0]))
                self.phases[after.published] = "new"
                self.published(after.published, session, str(arguments[1]))
            case "retry":
                self.retry(int(str(arguments[0])), waited=int(str(arguments[0])) not in world.requests)
            case "forget" | "forget_person":
                getattr(self, name)(*arguments, after.published)
            case "post":
                key = (int(str(arguments[0])), int(str(arguments[1])))
                found = {(worker.outreach, worker.token): worker for worker in after.workers}[key]
                self.steps[key] = f"{found.step} {found.reply}"
            case "api_decides":
                pass
            case "reserve" | "release":
                getattr(self, name)(*arguments, after)
            case _:
                getattr(self, name)(*arguments)

    # Shoppers, ingest and the sweep

    def published(self, number: int, session: int, kind: str, place: str = "-0") -> StreamEntry:
        active = kind in {"activity", MISDATED}
        stage, platform = PLACES[session] if active else (None, None)
        more: dict[str, object] = {"customer": self.customer(session), "platform": platform} if active else {}
        if kind == MISDATED:
            more["occurred_at"] = (self.began_ms - HOUR_MS) / 1000
        made = event(KINDS[kind], self.sessions[session] if kind != "refusal" else None, stage, **more)
        entry = StreamEntry(f"{self.at_ms(number)}{place}".encode(), json.dumps(made).encode())
        client: Any = self.state.client
        client.execute_command("XADD", self.state.keys.events, entry.id, "event", entry.event)
        self.events[number] = (entry, session, kind)
        return entry

    def customer(self, session: int) -> dict[str, str]:
        """Return the customer of a session, who is contacted under the first identity."""
        phone, *mail = self.identities[session]
        named = {"full_name": "Jane Doe", "country_code": "CO", "phone_number": _phone(phone)}
        return named | ({"email": _mail(mail[0])} if mail else {})

    def apply(self, number: int) -> None:
        entry, session, kind = self.events[number]
        marks = apply(self.state, entry) if kind != "refusal" else []
        told = max((self.number(mark.purchase) for mark in marks), default=0)
        if kind == "refusal" or (kind == "order" and number <= self.forgotten(session)):
            # The event itself names the person.
            told = number
        self.told[number] = told
        self.phases[number] = "applied" if told else "marked"

    def mark(self, number: int) -> None:
        _, session, kind = self.events[number]
        at_ms = self.at_ms(self.told[number])
        refusal = ConsentAnswer(allowed=False, at_ms=at_ms)
        found = Marks(answers={"call": refusal, "whatsapp": refusal}) if kind == "refusal" else Marks(bought_ms=at_ms)
        self.state.people.send_marks((), dict.fromkeys(self.of_session(session), found)).result()
        self.phases[number] = "marked"

    def of_session(self, session: int) -> list[str]:
        """Return the person of a session by each identity."""
        return [self.people[person] for person in self.identities[session]]

    def acknowledge(self, number: int) -> None:
        assert self.state.streams.first.acknowledge([self.events[number][0].id]) == 1
        del self.phases[number]

    def ingest_crashes(self, number: int) -> None:
        self.phases[number] = "new"

    def claim(self, session: int) -> None:
        stage, platform = PLACES[session]
        assert sweep(self.state, silent_for_ms=0, max_age_ms=100 * DAY_MS, lanes=[f"{stage}.{platform}.idle"]) == 1
        self.outreaches.append(stored(self.state, self.sessions[session]).outreach)

    # Workers

    def take(self, place: int) -> None:
        held = self.state.outbox.take(self.outreaches[place])
        if held is not None:
            self.claims.setdefault(place, []).append(held.token)
            claim = self.nth_claim(place, held.token)
            self.held[place, claim] = held
            self.steps[place, claim] = "taken"

    def nth_claim(self, place: int, claim: int) -> int:
        """Return the position of a claim of an outreach, from 1; 0 for none."""
        return self.claims[place].index(claim) + 1 if claim else 0

    def worker_dies(self, place: int, claim: int) -> None:
        del self.steps[place, claim]

    def postpone(self, place: int, claim: int) -> None:
        self.state.outbox.postpone(self.held[place, claim], delay_ms=0, why="quiet_hours")
        del self.steps[place, claim]

    def end_unsent(self, place: int, claim: int) -> None:
        self.state.outbox.end_unsent(self.held[place, claim], "suppressed", "no_cart")
        del self.steps[place, claim]

    def fence(self, place: int, claim: int) -> None:
        held = self.held[place, claim]
        assert self.state.streams.barrier_passed(held.barrier), "not caught up"
        self._goes_on(place, claim, NEXT.get(self.state.outbox.fence(held, body=BODY, key="key").verdict))

    def reserve(self, place: int, claim: int, after: World) -> None:
        outreach, held = self.outreaches[place], self.held[place, claim]
        owners = self.of_session(self._owner(place, claim))
        reserved = self.reserved.get((place, claim), 0)
        reserve = self.state.people.reserve
        answer = reserve([owners[reserved]], outreach, held.token, CONTACT_REF, self.limits, channels=("call",))
        found = {(worker.outreach, worker.token): worker for worker in after.workers}[place, claim]
        # The attempt chooses the next step; the script's result must equal the model's.
        expected = {"suppressed": {"limited", "bought", "refused"}, "not_sent": {"held", "lost"}}
        assert answer in expected.get(found.reply, {"reserved"}), answer
        self.reserved[place, claim] = found.reserved
        self._goes_on(place, claim, f"{found.step} {found.reply}".strip())

    def release(self, place: int, claim: int, after: World) -> None:
        owners = self.of_session(self._owner(place, claim))
        person = owners[self.reserved[place, claim] - 1]
        self.state.people.release([person], self.outreaches[place], self.held[place, claim].token)
        found = {(worker.outreach, worker.token): worker for worker in after.workers}.get((place, claim))
        self.reserved[place, claim] = found.reserved if found else 0
        self._goes_on(place, claim, f"{found.step} {found.reply}".strip() if found else None)

    def settle(self, place: int, claim: int, result: Any) -> None:  # noqa: ANN401 - a name of the model's
        unsure = result in {"unknown", "repeat"}
        result = "retry" if result == "repeat" else result
        self.state.outbox.settle(self.held[place, claim], result, ambiguous=unsure, line="attempt")
        del self.steps[place, claim]

    def _goes_on(self, place: int, claim: int, step: str | None) -> None:
        if step is None:
            del self.steps[place, claim]
        else:
            self.steps[place, claim] = step

    def _owner(self, place: int, claim: int) -> int:
        return self.sessions.index(self.held[place, claim].session.session_id)

    # The model's names

    def number(self, sequence: int) -> int:
        return self.number_at(occurred_ms(sequence)) if sequence else 0

    def number_at(self, at_ms: int) -> int:
        return (at_ms - self.began_ms) // SECOND_MS

    def forgotten(self, session: int) -> int:
        found = self.state.client.hget(self.state.keys.session(self.sessions[session]), "forgotten")
        return NONE if found is None else self.number(int(found))

    def place(self, outreach: str) -> int:
        return self.outreaches.index(outreach) if outreach else NONE


def _phone(person: int) -> str:
    return f"+57300123456{person}"


def _mail(person: int) -> str:
    return f"person{person}@example.com"
