"""The demo: every real part on this machine, the shoppers of a shop, and a summary whose numbers must add up."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from json import dumps
from pathlib import Path
from random import Random
from secrets import token_hex
from socket import socket
from tempfile import TemporaryDirectory
from time import monotonic, sleep, time

from detectors.flow import STAGES, Stage
from detectors.json_values import JsonObject
from detectors.lanes import LANES_BY_NAME
from detectors.settings import StageThresholds
from state import overview, stored_records
from winback.operations.producer import Producer
from winback.simulation.mock_api.process import MockServer
from winback.simulation.shoppers import Shopper, in_order, shoppers
from worker import runtime
from worker.settings import Settings, load
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.roles import Role, roles
from worker.supervision.supervisor import Supervisor

SHRINK = 300
"""Thresholds and gaps are divided by this: 45 minutes become 9 seconds."""
USUAL_GAP = timedelta(seconds=65)
"""The median time between two events of a shop's session (RetailRocket's published click-streams)."""
API_ANSWERS = "200,200,503,200,200,200,500,200"
ROUND_S = 0.2
UP_WITHIN_S = 40.0
GRACE_MS = 1500
"""If an order arrived this shortly before the request, the request may already have been in flight."""


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that must be true at the end."""

    what: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The results of the demo."""

    sessions: Mapping[str, int]
    """Sessions by outcome."""
    checks: Sequence[Check]
    seconds: float
    restarts: int

    @property
    def adds_up(self) -> bool:
        """Return whether every check holds."""
        return all(check.holds for check in self.checks)


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    settings: Settings
    state: runtime.State
    mock: MockServer
    supervisor: Supervisor
    plans: Sequence[Shopper]
    login: str
    environment: Mapping[str, str]
    """The settings of the roles, as environment variables."""

    def play(self, show: Callable[[overview.Overview, int], None], *, within: timedelta) -> Summary:
        """Send all events on time, wait for all outcomes, and add up. `show` is called several times a second."""
        producer = Producer(self.state.client, self.state.keys.events)
        planned, sent_at_ms, began = in_order(self.plans), {}, monotonic()
        sent = 0
        while True:
            self.supervisor.wait_until(lambda: True)  # raises if a role can't be kept running
            elapsed = monotonic() - began
            due = [item for item in planned[sent : sent + 5000] if item.at_s <= elapsed]
            for item in due:
                if item.event["type"] == "order_completed":
                    sent_at_ms[item.event["session_id"]] = time() * 1000
            producer.send([dumps(item.event).encode() for item in due])
            sent += len(due)
            seen = self.snapshot()
            show(seen, sent)
            if (sent == len(planned) and _is_quiet(seen)) or elapsed > within.total_seconds():
                return self._add_up(seen, sent_at_ms, elapsed)
            sleep(ROUND_S)

    def snapshot(self) -> overview.Overview:
        """Read the current overview."""
        return overview.read(self.state.scripts, self.state.keys, tuple(LANES_BY_NAME))

    def _add_up(self, seen: overview.Overview, ordered_at_ms: Mapping[str, float], seconds: float) -> Summary:
        ids = [plan.session_id for plan in self.plans]
        found = self.state.sessions.read(ids)
        open_ones = {session.outreach for session in found if session.state == "abandoned"}
        ended = dict(zip(open_ones, self.state.outbox.outcomes(list(open_ones)), strict=True))
        became = Counter(ended.get(s.outreach, s.state + (".after_contact" if s.contacts else "")) for s in found)
        accounted = sum(n for state, n in became.items() if state not in {"waiting", "leased", "sending", ""})
        silent, outcomes = sum(seen.counters.silent.values()), seen.counters.outcomes
        ends = sum(sum(reasons.values()) for reasons in outcomes.values())
        received, requests = self.mock.summary(), self.mock.requests()
        late = [r for r in requests if r["status"] == 200 and _after(r, ordered_at_ms)]  # noqa: PLR2004 - accepted
        sent = seen.counters.total("sent")
        checks = (
            Check("every session is accounted for", accounted == len(ids), f"{accounted} of {len(ids)}"),
            Check("every silence has one outcome", silent == ends, f"{silent} silences, {ends} outcomes"),
            Check("no outreach is left open", _is_quiet(seen), f"{seen.outbox.due} due, {seen.outbox.leased} leased"),
            Check("every request was valid", not received["invalid"], f"{received['valid']} valid"),
            Check("no contact was repeated", not received["duplicates"], f"{received['duplicates']} repeated"),
            Check(
                "no person was contacted twice",
                not received["people_contacted_more_than_once"],
                f"{received['people_contacted']} people",
            ),
            Check(
                "sent contacts match the received ones",
                sent == received["accepted"],
                f"{sent} and {received['accepted']}",
            ),
            Check("no person was contacted after paying", not late, f"{len(late)} of {len(ordered_at_ms)} orders"),
        )
        return Summary(became, checks, seconds, sum(self.supervisor.restarts.values()))


@contextmanager
def running(number: int, *, seed: int, over: timedelta, output: Callable[[str, str], None]) -> Iterator[Demo]:
    """Start all parts, wait until they are up, and always stop them at the end.

    Raises:
        StartError: A part can't be started.
        RoleFailedError: A role can't be kept running.
        TimeoutError: The parts weren't up in time.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="winback-demo-")))
        server = EmbeddedValkey(directory / "valkey", port=0)
        server.start()
        stack.callback(server.stop)
        keys: dict[str, str] = {"public_api_key": "demo-public", "private_secret_key": "demo-private"}
        mock = stack.enter_context(MockServer(port=0, status=API_ANSWERS, delay="100ms", **keys))
        login = f"winback:{token_hex(6)}"
        env = _environment(server.url, mock.endpoint, keys, login, directory)
        settings = load(env, config=directory / "winback.toml")
        state = runtime.open_state(settings)
        supervisor = stack.enter_context(Supervisor(_fast(roles(settings, env)), output=output))
        try:
            supervisor.wait_until(lambda: _are_up(state), UP_WITHIN_S)
        except TimeoutError:
            raise TimeoutError(
                f"not every part was up within {UP_WITHIN_S:g} s: close other programs on this machine"
            ) from None
        waits: dict[Stage, timedelta] = {stage: getattr(settings.detection.idle, stage) for stage in STAGES}
        plans = shoppers(number, over=over, gap=USUAL_GAP / SHRINK, waits=waits, random=Random(seed))  # noqa: S311 - a plan, not a secret
        yield Demo(settings, state, mock, supervisor, plans, login, env)


def _environment(url: str, endpoint: str, keys: Mapping[str, str], login: str, directory: Path) -> dict[str, str]:
    config = directory / "winback.toml"
    config.touch()
    idle = StageThresholds()
    values: dict[str, object] = {
        "CONFIG": config,
        "REDIS_URL": url,
        "IDENTITY_SECRET": token_hex(16),
        **{
            f"DETECTION__IDLE__{s.upper()}": f"{getattr(idle, s) / SHRINK / timedelta(milliseconds=1):.0f}ms"
            for s in STAGES
        },
        "DETECTION__PENDING": "6s",
        # The shop's shoppers are awake at any time, and have all given consent.
        "CONTACT__QUIET_HOURS": "off",
        "CONTACT__LAW": "off",
        "CONTACT__DISABLED_RULES": "consent_missing",
        "DETECTION__SWEEP_INTERVAL": "500ms",
        "DELIVERY__MODE": "live",
        "DELIVERY__ENDPOINT": endpoint,
        **{f"DELIVERY__{name.upper()}": value for name, value in keys.items()},
        "DELIVERY__TIMEOUT": "1s",
        "DELIVERY__BACKOFF_BASE": "1s",
        "DELIVERY__BACKOFF_CAP": "3s",
        "DELIVERY__RATE": "100/s",
        "DELIVERY__DISPATCH_INTERVAL": "250ms",
        "WORKER__CONCURRENCY": "16",
        "FLOWER__PORT": _free_port(),
        "FLOWER__BASIC_AUTH": login,
    }
    return {f"WINBACK_{name}": str(value) for name, value in values.items()}


def _fast(every: Sequence[Role]) -> list[Role]:
    return [replace(role, grace_s=min(role.grace_s, 5.0)) for role in every]


def _are_up(state: runtime.State) -> bool:
    seen = overview.read(state.scripts, state.keys, ())
    return all(seen.heartbeats.get(role) for role in stored_records.ROLES)


def _is_quiet(seen: overview.Overview) -> bool:
    return not (seen.events.waiting or seen.lanes or seen.outbox.due or seen.outbox.leased)


def _after(request: JsonObject, ordered_at_ms: Mapping[str, float]) -> bool:
    ordered = ordered_at_ms.get(request["body"]["session"].get("session_id", ""))
    received = datetime.fromisoformat(request["received_at"]).timestamp() * 1000
    return ordered is not None and received - ordered > GRACE_MS


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
