"""Experiments: the assignment of outreaches to arms, and the orders of the people in each arm."""

from collections.abc import Iterable, Sequence

from state.attribution import Credit
from state.calls import experiments as lua
from state.keys import DAY_MS, Keys
from state.outbox import Taken
from state.partitions import partition_of_outreach
from state.scripts import Scripts
from state.server_errors import driver_errors

JOINED_TTL_MS = 180 * DAY_MS
"""How long it is known that a person was counted in an experiment."""


class Experiments:
    """Assigns outreaches to arms. `window_ms`: how long after the assignment an order counts."""

    def __init__(self, scripts: Scripts, keys: Keys, name: str = "", window_ms: int = 0) -> None:
        self._scripts = scripts
        self._keys = keys
        self._name = name
        self._window_ms = window_ms

    def assign(self, taken: Taken, people: Sequence[str], arm: str) -> bool:
        """Record the arm of an outreach; return False if it has one or another worker has it.

        Its person is counted with their first outreach in the experiment, whatever identity of theirs it names. Safe to
        repeat after a crash: the person then counts for the same outreach.

        Args:
            taken: The outreach.
            people: All identities of its person.
            arm: `<experiment>.<arm>`.
        """
        experiment = arm.partition(".")[0]
        joined = self._scripts.run_many(
            [
                lua.join_experiment(
                    self._keys.person(person),
                    name=experiment,
                    outreach=taken.outreach,
                    ttl_ms=JOINED_TTL_MS,
                    taken_at=taken.now_ms,
                )
                for person in people
            ]
        )
        call = lua.assign_arm(
            self._prefix(taken.outreach),
            outreach=taken.outreach,
            token=taken.token,
            arm=arm,
            counts="1" if all(joined) else "",
        )
        return self._scripts.run(call)

    def joined(self, people: Sequence[str]) -> list[str]:
        """Return the outreach for which each person counts; empty for none."""
        if not self._name:
            return [""] * len(people)
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for person in people:
                pipe.hget(f"{self._keys.person(person)}experiment", self._name)
            found: list[bytes | None] = pipe.execute()
        return [(outreach or b"").decode() for outreach in found]

    def credit(self, credits_: Iterable[Credit]) -> list[bool]:
        """Credit arms with orders. False: nothing changed. Safe to repeat."""
        calls = [
            lua.credit_arm(
                self._prefix(one.outreach), outreach=one.outreach, order=one.packed, window_ms=self._window_ms
            )
            for one in credits_
        ]
        return self._scripts.run_many(calls)

    def _prefix(self, outreach: str) -> str:
        return self._keys.partition(partition_of_outreach(outreach))
