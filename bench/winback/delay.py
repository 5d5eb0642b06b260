"""From the moment at which a session has been silent for long enough to its request, with every role running.

Shoppers arrive at a steady rate, and each falls silent after a few events. The moment is the time of the last event in
the stream plus the threshold. Claimed is when the sweep made an outreach, requested is when the request reached the
API.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic, sleep

from bench.figures import Figure, Goal
from bench.processes import memory_bytes, processor_s
from bench.waiting import wait_for
from bench.winback import filling
from bench.winback.running import LIVE, Roles, running
from detectors.sequence import epoch_ms
from winback.simulation.mock_api.process import MockServer
from worker.supervision.embedded_valkey import EmbeddedValkey

PART = "own: from silence to request"
ROLES = ("ingest", "recover", "sweep", "beat")
THRESHOLD_S, SWEEP_INTERVAL_S = 2.0, 1.0
EVENTS, GAP_S = 5, 0.5
KNOWN_EVERY = 3
WAITING = 20_000
"""Sessions that are active in the meantime, none of them at payment."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one run of the shop."""

    known: Sequence[str]
    """The sessions whose shoppers can be contacted."""
    last: Mapping[str, int]
    """By session: when its last event arrived (Unix ms)."""
    claimed: Mapping[str, int]
    """By session: when a sweep made an outreach of it (Unix ms)."""
    requested: Mapping[str, int]
    """By session: when its request reached the API (Unix ms)."""
    memory: Mapping[str, int]
    """Bytes by role, in the middle of the run."""
    processors: Mapping[str, float]
    """Processors that a role kept busy."""


def measure(
    *, quick: bool = False, rounds: int = 3, round_s: float = 15.0, shoppers_a_second: int = 60
) -> list[Figure]:
    if quick:
        rounds, round_s = 1, 6.0
    with TemporaryDirectory() as directory, ExitStack() as stack:
        server = stack.enter_context(EmbeddedValkey(Path(directory) / "valkey", port=0))
        api = stack.enter_context(MockServer(port=0, delay="100ms", quiet=True))
        roles = stack.enter_context(running(_environment(server, api), Path(directory)))
        for name in ROLES:
            roles.start(name)
        roles.wait()
        now_ms = roles.state.streams.watermark().now_ms
        filling.fill(roles.state, range(WAITING), silent_ms=now_ms, random=Random(1))
        found = _measured(roles, api, round(rounds * round_s * shoppers_a_second), shoppers_a_second)
    load = f"{shoppers_a_second * EVENTS} events/s, sweep every {SWEEP_INTERVAL_S:g} s"
    return [*_delays(found, rounds, load), *_used(found)]


def _environment(server: EmbeddedValkey, api: MockServer) -> dict[str, str]:
    return {
        **LIVE,
        "WINBACK_REDIS_URL": server.url,
        "WINBACK_DELIVERY__ENDPOINT": api.endpoint,
        "WINBACK_DETECTION__IDLE__PAYMENT": f"{THRESHOLD_S:.0f}s",
        "WINBACK_DETECTION__SWEEP_INTERVAL": f"{SWEEP_INTERVAL_S:.0f}s",
    }


def _measured(roles: Roles, api: MockServer, shoppers: int, a_second: int) -> Measured:
    """Run the shop until all reachable shoppers have been contacted."""
    before = {role.name: processor_s(role.pid) for role in roles.running}
    began = monotonic()
    last, memory = _shop(roles, shoppers, a_second)
    used = {role.name: processor_s(role.pid) - before[role.name] for role in roles.running}
    took = monotonic() - began
    known = [name for name in last if _is_known(name)]
    wait_for(lambda: api.summary()["requests"] >= len(known))
    claimed, requested = _claimed(roles, known), _requested(api)
    assert sorted(requested) == sorted(known), "not all reachable shoppers were contacted"
    assert api.summary()["requests"] == len(known)
    return Measured(known, last, claimed, requested, memory, {name: s / took for name, s in used.items()})


def _delays(found: Measured, rounds: int, load: str) -> Iterator[Figure]:
    in_rounds = [found.known[start::rounds] for start in range(rounds)]
    due = {name: at + THRESHOLD_S * 1000 for name, at in found.last.items()}
    goal = Goal("<=", (SWEEP_INTERVAL_S + 1) * 1000)
    for what, at, limit in (("claimed", found.claimed, goal), ("requested", found.requested, None)):
        late = [quantiles([at[name] - due[name] for name in part], n=100) for part in in_rounds]
        assert min(cut[0] for cut in late) > 0, "a shopper was contacted too early"
        yield Figure(PART, f"silent until {what}, median", tuple(cut[49] for cut in late), "ms", note=load)
        yield Figure(PART, f"silent until {what}, 99 %", tuple(cut[98] for cut in late), "ms", limit, load)


def _used(found: Measured) -> Iterator[Figure]:
    for name, figure in found.memory.items():
        yield Figure(PART, f"memory of {name} under that load (PSS)", (figure / 2**20,), "MiB")
    for name, processors in found.processors.items():
        yield Figure(PART, f"processor of {name} under that load", (processors * 100,), "%")


def _shop(roles: Roles, shoppers: int, a_second: int) -> tuple[dict[str, int], dict[str, int]]:
    """Let shoppers arrive, shop and fall silent; return when each did (Unix ms), and the memory of the roles then."""
    began, sent = monotonic(), 0
    last: dict[str, int] = {}
    plan = sorted((n / a_second + step * GAP_S, n, step) for n in range(shoppers) for step in range(EVENTS))
    memory: dict[str, int] = {}
    looking = Thread(target=lambda: memory.update({role.name: memory_bytes(role.pid) for role in roles.running}))
    while sent < len(plan):
        elapsed = monotonic() - began
        due = [item for item in plan[sent : sent + 1000] if item[0] <= elapsed]
        assert not due or elapsed - due[0][0] < GAP_S, "the shop stalled: its shoppers would seem silent"
        pipe = roles.state.client.pipeline(transaction=False)
        for _, number, _ in due:
            pipe.xadd(roles.state.keys.events, {"event": _event(number)})
        for (_, number, _), entry in zip(due, pipe.execute(), strict=True):
            last[f"shopper-{number}"] = int(entry.partition(b"-")[0])
        sent += len(due)
        if looking.ident is None and sent > len(plan) / 2:
            looking.start()
        sleep(0.01)
    looking.join()
    return last, memory


def _event(number: int) -> str:
    event: dict[str, object] = {
        "session_id": f"shopper-{number}",
        "type": "activity",
        "flow_stage": "payment",
        "platform": "web",
    }
    if number % KNOWN_EVERY == 0:
        event["customer"] = {"full_name": "Jane Doe", "phone_number": f"+57300{number:07d}", "country_code": "CO"}
    return json.dumps(event)


def _is_known(name: str) -> bool:
    return int(name.rpartition("-")[2]) % KNOWN_EVERY == 0


def _claimed(roles: Roles, names: Sequence[str]) -> dict[str, int]:
    """Return when a sweep made an outreach of each session (Unix ms)."""
    outreaches = [session.outreach for session in roles.state.sessions.read(names)]
    pipe = roles.state.client.pipeline(transaction=False)
    for outreach in outreaches:
        pipe.hget(roles.state.keys.outreach(outreach), "claimed_at")
    return {name: int(at) for name, at in zip(names, pipe.execute(), strict=True)}


def _requested(api: MockServer) -> dict[str, int]:
    """Return when the request for each session reached the API (Unix ms)."""
    found = api.requests()
    return {r["body"]["session"]["session_id"]: epoch_ms(datetime.fromisoformat(r["received_at"])) for r in found}


if __name__ == "__main__":
    from bench.winback.show import show

    show(measure)
