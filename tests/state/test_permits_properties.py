"""No order of dispatches, returns and ends exceeds the rate or the daily contacts."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from state.sending_control import Admitted
from tests.support.control_support import TEN_A_SECOND_US, control, granted, held, let_pass, places
from tests.support.durations import SECOND_MS
from tests.support.redis_clients import emptied
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey


def micros(state: State) -> int:
    seconds, rest = state.client.time()
    return int(seconds) * 1_000_000 + int(rest)


DISPATCHES = st.tuples(st.sampled_from(["dispatch"]), st.integers(0, 30))
RETURNS = st.tuples(st.sampled_from(["return"]), st.integers(0, 30))
WAITS = st.tuples(st.sampled_from(["wait"]), st.integers(0, 3 * SECOND_MS))


@given(steps=st.lists(DISPATCHES | RETURNS | WAITS, max_size=40), burst=st.integers(1, 12))
def test_rate_holds_for_any_dispatches_and_returns(
    valkey: EmbeddedValkey, steps: list[tuple[str, int]], burst: int
) -> None:
    with emptied(valkey) as state:
        dispatchers = [control(state, rate_us=TEN_A_SECOND_US, burst=burst) for _ in range(2)]
        began_us, waited_us, out = micros(state), 0, 0
        for number, (step, amount) in enumerate(steps):
            if step == "dispatch":
                out += granted(dispatchers[number % 2], amount)
            elif step == "return":
                back = min(out, amount)
                dispatchers[number % 2].not_leased(back)
                out -= back
            else:
                let_pass(state, amount)
                waited_us += 1000 * amount
            passed_us = micros(state) - began_us + waited_us
            assert out <= burst + passed_us // TEN_A_SECOND_US
        # It blocks no more than it must: a request after a while is granted.
        let_pass(state, burst * TEN_A_SECOND_US // 1000)
        assert granted(dispatchers[0], burst) == burst


class Crowd:
    """Two dispatchers with a delayed view of each other, and workers that end, fail, or crash at any step."""

    def __init__(self, state: State, most: int) -> None:
        self.state = state
        self._dispatchers, self._seen = [control(self.state, per_day=most) for _ in range(2)], [0, 0]
        self.leased: dict[int, str] = {}
        """Outreach → the day of its slot; empty before the gate."""
        self.claims: dict[int, int] = {}
        self.contacted: set[int] = set()

    def look(self, number: int) -> None:
        self._seen[number % 2] = len(self.leased)

    def dispatch(self, number: int) -> None:
        due = [n for n in range(10) if n not in self.leased and n not in self.contacted][:3]
        for n in due[: granted(self._dispatchers[number % 2], len(due), in_flight=self._seen[number % 2])]:
            self.leased[n], self.claims[n] = "", self.claims.get(n, 0) + 1

    def gate(self, number: int) -> None:
        if self.leased.get(number) == "":
            found = self._dispatchers[0].gate(held(number, token=self.claims[number]))
            if isinstance(found, Admitted):
                self.leased[number] = found.day
            else:
                del self.leased[number]

    def end(self, number: int) -> None:
        """Contacted or unknown: the worker crashed after the gate."""
        if self.leased.pop(number, ""):
            self.contacted.add(number)

    def no_contact(self, number: int) -> None:
        day = self.leased.pop(number, None)
        if day is not None:
            self._dispatchers[1].return_permits(held(number, token=self.claims[number]), requests=1, day=day)


STEPS = st.tuples(
    st.sampled_from([Crowd.look, Crowd.dispatch, Crowd.gate, Crowd.end, Crowd.no_contact]), st.integers(0, 9)
)


@given(steps=st.lists(STEPS, max_size=60), most=st.integers(1, 4))
def test_daily_limit_holds_for_any_dispatches(
    valkey: EmbeddedValkey, steps: list[tuple[Callable[[Crowd, int], None], int]], most: int
) -> None:
    with emptied(valkey) as state:
        crowd = Crowd(state, most)
        for step, number in steps:
            step(crowd, number)
            counted = crowd.contacted | {n for n, day in crowd.leased.items() if day}
            assert len(counted) <= most
            assert set(places(state)) == {held(n).outreach for n in counted}
