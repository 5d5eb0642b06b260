"""The steps of dispatch, time and operators on the real scripts, named as in the model."""

from state.calls import outreaches as lua
from state.decisions import RETRY_UNKNOWN_AFTER_MS, Operator
from state.erasure import Erasure
from state.partitions import partition_of_outreach
from tests.support.durations import DAY_MS, SECOND_MS
from tests.support.passing_time import let_reservations_age
from tests.support.states import LEASE_MS
from tests.support.stored_state import now_ms, texts
from worker.runtime import State


class Overseers:
    """Actors on outreaches other than attempts.

    Attributes:
        began_ms: When the model's time began (Unix ms).
        sessions, people, outreaches: In the model's numbering.
    """

    state: State
    operator: Operator
    erasure: Erasure
    began_ms: int
    sessions: list[str]
    people: list[str]
    outreaches: list[str]

    def at_ms(self, number: int) -> int:
        return self.began_ms + number * SECOND_MS

    # Dispatch and time

    def lease_due(self, place: int) -> None:
        outreach = self.outreaches[place]
        number = partition_of_outreach(outreach)
        self.state.client.zadd(self.state.keys.due(number), {outreach: 0}, xx=True)
        assert self.state.outbox.lease([number], barrier=self.state.streams.barrier()) == [outreach]

    def lease_ends(self, place: int) -> None:
        outreach = self.outreaches[place]
        key = self.state.keys.leased(partition_of_outreach(outreach))
        assert self.state.client.zadd(key, {outreach: now_ms(self.state) - 1}, xx=True, ch=True) == 1

    def reap(self, place: int) -> None:
        outreach = self.outreaches[place]
        number = partition_of_outreach(outreach)
        # The lease that expired first is the first to be reaped.
        self.state.client.zadd(self.state.keys.leased(number), {outreach: 0}, xx=True)
        self.state.scripts.run(lua.reap(self.state.keys.partition(number), 1, self.state.outbox.lease_ms))

    def reservation_ages(self, person: int) -> None:
        let_reservations_age(self.state, self.people[person], LEASE_MS + SECOND_MS)

    # Operators

    def retry(self, place: int, *, waited: bool) -> None:
        outreach = self.outreaches[place]
        found = texts(self.state, self.state.keys.outreach(outreach))
        if waited:
            before = int(found["ended_at"]) - RETRY_UNKNOWN_AFTER_MS
            # Keep the day on which it was counted, or the counters would differ.
            if before // DAY_MS == int(found["ended_at"]) // DAY_MS or found["state"] == "unknown":
                self.state.client.hset(self.state.keys.outreach(outreach), "ended_at", before)
        retry = self.operator.retry_unknown if found["state"] == "unknown" else self.operator.retry_dead
        retry([outreach])

    def resolve_sent(self, place: int) -> None:
        assert self.operator.resolve_sent([self.outreaches[place]])[0].done

    def expire(self, place: int) -> None:
        assert self.operator.expire([self.outreaches[place]])[0].done

    def forget(self, session: int, moment: int) -> None:
        self.erasure.erase([self.sessions[session]], [])
        # Later steps happen in the past of the server.
        key = self.state.keys.session(self.sessions[session])
        self.state.client.hset(key, "forgotten", self.at_ms(moment) * 100 + 99)

    def forget_person(self, person: int, moment: int) -> None:
        name = self.people[person]
        self.erasure.delete(self.erasure.split(name)[0])
        self.erasure.block_replays(name)
        self.state.client.set(f"{self.state.keys.person(name)}forgotten", self.at_ms(moment), keepttl=True)
