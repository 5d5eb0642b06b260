"""An empty sweep over a million waiting sessions, and how fast silent ones are claimed."""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from detectors.sequence import RANK_SPAN
from state.sessions import Change
from tasks.deps import Deps
from tasks.sweep import sweep
from worker import runtime
from worker.settings import load
from worker.valkey import EmbeddedValkey

RANKS = 9  # every stage and platform but those of payment


def fill(state: runtime.State, number: int, *, silent_ms: int, reachable: bool) -> None:
    """Put sessions in their lanes, silent since `silent_ms` (Unix ms)."""
    fields = {"name": "Jane Doe", "phone": "+573001234567", "country": "CO"} if reachable else {}
    for start in range(0, number, 5000):
        changes = []
        for index in range(start, min(start + 5000, number)):
            sequence = silent_ms * RANK_SPAN + index % RANKS
            session = f"{'full' if reachable else 'anonymous'}-{silent_ms}-{index:x}"
            changes.append(Change(session, sequence, sequence, 0, 0, silent_ms, fields))
        state.sessions.apply(changes)
    # Filling took longer than the pause between two sweeps may be, which would count as an outage.
    state.client.delete(state.keys.sweep)


def measure(waiting: int = 1_000_000, claims: int = 100_000) -> dict[str, float]:
    """Return the time of an empty sweep (ms) at two sizes, and sessions claimed a second."""
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        settings = load({"WINBACK_REDIS_URL": server.url, "WINBACK_IDENTITY_SECRET": "bench-bench-bench"})
        state, deps = runtime.open_state(settings), runtime.build_deps(settings, sends=False)
        state.stream.create_group()
        now_ms = state.stream.watermark().now_ms
        fill(state, waiting // 100, silent_ms=now_ms, reachable=False)
        few = _empty(deps)
        fill(state, waiting, silent_ms=now_ms, reachable=False)
        many = _empty(deps)
        rates = {}
        for reachable in (True, False):
            fill(state, claims, silent_ms=now_ms - 3_600_000, reachable=reachable)
            began = perf_counter()
            done = sweep(deps)
            assert done.sessions == claims, done
            assert done.outreaches == (claims if reachable else 0)
            rates[reachable] = claims / (perf_counter() - began)
        return {"few": few, "many": many, "outreaches": rates[True], "unreachable": rates[False]}


def _empty(deps: Deps) -> float:
    times = []
    for _ in range(21):
        began = perf_counter()
        assert sweep(deps).sessions == 0
        times.append((perf_counter() - began) * 1000)
    return median(times)


if __name__ == "__main__":
    print(measure())
