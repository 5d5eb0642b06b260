"""When a silent session is reported, and the effect of a kill -9 on the reporting process.

Sessions of three events each fall silent one after another, at known times, while others stay active. Reports before
the kill give the delay. Then all processes of the technique are killed at once, while the writer of the events
continues. Three seconds later they are restarted. All reports are compared with the expected ones.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep, time

from bench.alternatives.technique import SILENT_S, Technique
from bench.alternatives.techniques import chosen
from bench.figures import Figure, Goal
from bench.progress import say
from bench.shop_log import CART

DELAY, KILLED = "compared with alternatives: noticing", "compared with alternatives: killed with -9"
FADING_EVERY_S, EVENTS_EACH, STEP_S = 0.025, 3, 0.5
ACTIVE, ACTIVE_STEP_S = 50, 0.7
KILL_AT_S, AGAIN_AFTER_S, ENDS_AT_S = 12.0, 3.0, 20.0
CLOSE_S = 0.05
"""How far the clocks of two processes, and the creation and arrival of an event, can differ."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one run; delays in seconds after the moment at which the silence was long enough."""

    delays: Sequence[float]
    sessions: int
    lost: int
    in_doubt: int
    """Shown to an operator, because it is unknown whether they were reported. Not lost."""
    twice: int
    active: int
    """Reported although their last event was younger than the threshold."""
    latest: float
    """The longest delay of all, including those during and after the kill."""


def schedule() -> list[tuple[float, str]]:
    """Return the sessions' events in order of time (s from the start)."""
    found = []
    for number in range(int((ENDS_AT_S - EVENTS_EACH * STEP_S) / FADING_EVERY_S)):
        found += [(number * FADING_EVERY_S + index * STEP_S, f"fading-{number}") for index in range(EVENTS_EACH)]
    for number in range(ACTIVE):
        at = number * ACTIVE_STEP_S / ACTIVE
        while at < ENDS_AT_S:
            found.append((at, f"active-{number}"))
            at += ACTIVE_STEP_S
    return sorted(found)


def judged(
    sent: Mapping[str, Sequence[float]],
    reports: Sequence[tuple[float, str]],
    in_doubt: Collection[str] = (),
    *,
    killed_at: float,
) -> Verdict:
    """Compare the times of the reports (Unix s) with the events of each session."""
    times: dict[str, list[float]] = {session: [] for session in sent}
    for at, session in reports:
        times[session].append(at)
    active = sum(
        any(event + CLOSE_S < at < event + SILENT_S - CLOSE_S for event in sent[session])
        for session, found in times.items()
        for at in found
    )
    delays = {session: max(found) - sent[session][-1] - SILENT_S for session, found in times.items() if found}
    return Verdict(
        delays=sorted(delay for session, delay in delays.items() if sent[session][-1] + SILENT_S + delay < killed_at),
        sessions=len(sent),
        lost=sum(not found and session not in in_doubt for session, found in times.items()),
        in_doubt=len(in_doubt),
        twice=sum(len(found) > 1 for found in times.values()),
        active=active,
        latest=max(delays.values()),
    )


def measure(*, quick: bool = False) -> list[Figure]:
    figures = []
    for name, goal_s, make in chosen(quick=quick):
        say(f"noticing: {name}")
        with ExitStack() as stack:
            directory = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
            verdict = watched(stack.enter_context(make(directory)))
        figures += _lines(name, verdict, None if goal_s is None else Goal("<=", goal_s))
    return sorted(figures, key=lambda figure: figure.part == KILLED)


def watched(technique: Technique) -> Verdict:
    """Play the schedule to a running technique, with the kill, and evaluate its reports."""
    sent: dict[str, list[float]] = {}
    began, killed_at, again = time(), 0.0, False
    for due, session in schedule():
        while (now := time()) < began + due:
            sleep(min(0.005, began + due - now))
        if not killed_at and now - began > KILL_AT_S:
            technique.kill()
            killed_at = time()
        if killed_at and not again and now - killed_at > AGAIN_AFTER_S:
            technique.start()
            again = True
        # The time is read first: a technique can count from there, never from later.
        sent.setdefault(session, []).append(time())
        technique.send([_event(session, sent[session][-1])])
    _wait_until_quiet(technique, len(sent))
    return judged(sent, technique.reports(), technique.in_doubt(), killed_at=killed_at)


def _wait_until_quiet(technique: Technique, sessions: int) -> None:
    """Wait until every session was reported, or for the time that the technique can need after a crash."""
    deadline = monotonic() + technique.patience_s
    while monotonic() < deadline:
        if len({session for _, session in technique.reports()}.union(technique.in_doubt())) >= sessions:
            break
        sleep(0.5)
    # A duplicate report would arrive now.
    sleep(SILENT_S)


def _event(session: str, at: float) -> dict[str, object]:
    kind, _, number = session.partition("-")
    phone = f"+5730{0 if kind == 'active' else 1}{int(number):07d}"
    return {
        "session_id": session,
        "type": "activity",
        "occurred_at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        "flow_stage": "checkout",
        "platform": "web",
        "cart": CART,
        "customer": {"full_name": "Jane Doe", "phone_number": phone, "country_code": "CO", "language": "es"},
    }


def _lines(name: str, verdict: Verdict, goal: Goal | None) -> list[Figure]:
    """Return the lines of the table for one technique."""
    delays, of = verdict.delays, f"of {verdict.sessions}"
    assert len(delays) > 100, f"{name}: only {len(delays)} were reported before the kill"
    return [
        Figure(DELAY, f"{name}, median", (delays[len(delays) // 2],), "s"),
        Figure(DELAY, f"{name}, 99 %", (delays[len(delays) * 99 // 100],), "s", goal),
        Figure(KILLED, f"{name}, lost", (verdict.lost,), of),
        Figure(KILLED, f"{name}, reported twice", (verdict.twice,), of),
        Figure(KILLED, f"{name}, reported though active", (verdict.active,), of),
        *([Figure(KILLED, f"{name}, left to a person", (verdict.in_doubt,), of)] if verdict.in_doubt else []),
        Figure(KILLED, f"{name}, longest delay", (verdict.latest,), "s"),
    ]
