"""Faults 11 to 16: every failure of the API and of the network to it."""

import select
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from random import Random

from state.decisions import Operator, OutreachRecord
from tests.faults.answers import (
    BREAKS_AFTER,
    bomb,
    bursts,
    conflicts,
    drip_body,
    drip_head,
    either,
    flood,
    not_carried_out,
    odd,
    says,
)
from tests.faults.fault import OR_UNKNOWN, USUAL, Fault, Scene
from tests.faults.ledger import ACCEPT, Answer, Plan, Request, always, in_turn, refuse
from tests.faults.memory import resident
from tests.faults.settings import TIMEOUT_S
from tests.support.faulty_server import http
from tests.support.wire import Behaviour, Wire

ATTEMPTS = 8
LONGEST_IDLE_S = 0.3
OR_DEAD = USUAL | {"dead"}
FEW_ATTEMPTS = {"WINBACK_DELIVERY__MAX_ATTEMPTS": "2"}
MOST_GROWN = 50 * 2**20
BREAKER = {"WINBACK_DELIVERY__BREAKER_FAILURES": str(BREAKS_AFTER)}


def answering(make: Callable[[Random], Plan], visits: int = 20) -> Callable[[Scene], None]:
    """Let the API answer by a plan for the whole run."""

    def act(scene: Scene) -> None:
        scene.system.api.plan(make(scene.random))
        scene.open(visits)
        scene.system.until(lambda: not scene.shop.busy and scene.system.is_settled(), 90)
        _bounded(scene)
        _in_time(scene)

    return act


def failing(scene: Scene) -> None:
    """Let requests fail in bursts, long enough for the breaker to open; then everything resumes automatically."""
    began = time.time()
    answering(bursts, 40)(scene)
    scene.expect(scene.system.said("sending_stopped", since=began), "the breaker did not open")


def flooding(name: str, act: Behaviour) -> Callable[[Scene], None]:
    """Answer with excessive data, and measure its memory."""

    def act_and_look(scene: Scene) -> None:
        before = resident(scene.system.supervisor.pids())["recover"]
        answering(odd(name, act))(scene)
        grown = resident(scene.system.supervisor.pids())["recover"] - before
        scene.expect(grown < MOST_GROWN, f"the worker's memory grew by {grown / 2**20:.0f} MB")

    return act_and_look


def too_many(header: Callable[[], str], least_s: float) -> Callable[[Scene], None]:
    """Answer the first requests with 429 and a `Retry-After`, and check that none is repeated earlier."""

    def act(scene: Scene) -> None:
        limited = Answer("429", contact=False, act=lambda wire: wire.send(http(429, retry_after=header())), status=429)
        scene.system.api.plan(in_turn(limited, limited, limited, ACCEPT))
        scene.open()
        scene.system.until(lambda: not scene.shop.busy and scene.system.is_settled(), 90)
        for session in scene.shop.visits:
            for first, second in pairwise(_of(scene, session)):
                again = first.status == 429 and first.stamp == second.stamp
                early = again and second.at - first.at < least_s - 0.001  # the ledger has milliseconds
                scene.expect(not early, f"{session} was tried again after {second.at - first.at:.2f} s")

    return act


def asked_for_ages(scene: Scene) -> None:
    """Ask one request to wait for 1000000000 s: it waits for a day, and all others for a bounded time."""
    scene.system.api.plan(in_turn(refuse(429, retry_after="1000000000"), ACCEPT))
    scene.open(kinds=(("leaves", 1),))
    operator = Operator(scene.system.state.scripts, scene.system.state.keys)

    def others_ended() -> bool:
        return not scene.shop.busy and scene.system.in_lanes() == 0 and scene.system.open_outreaches() == 1

    def waits_long() -> list[OutreachRecord]:
        tomorrow = 1000 * (time.time() + timedelta(hours=23).total_seconds())
        return [record for record in operator.find(["waiting"]) if record.due_ms > tomorrow] if others_ended() else []

    (waiting,) = scene.system.until(waits_long, 60, "the end of all others")
    most_ms = 1000 * (time.time() + timedelta(days=1).total_seconds())
    scene.expect(waiting.due_ms <= most_ms, f"it waits until {waiting.due_ms}")
    operator.expire([waiting.outreach])


def refused_connections(scene: Scene) -> None:
    """Refuse connections for a while: certainly nothing was sent, so all of it is sent afterwards."""
    scene.system.to_api.set("refuse")
    scene.open()
    ends = time.monotonic() + 3.0
    scene.system.until(lambda: time.monotonic() > ends)
    scene.system.to_api.set("pass")


def unsendable(scene: Scene) -> None:
    """Make sending impossible: everything ends dead, and no byte was sent."""
    scene.open(6)
    scene.system.until(lambda: not scene.shop.busy and scene.system.is_settled(), 90)
    scene.expect(not scene.system.api.requests(), "a request came through")


def closing_idle(scene: Scene) -> None:
    """Let the server close kept connections just before they are used again.

    A request that its program never read is repeated. A request that had arrived when the program closed the socket
    looks as if it had been read; that takes an unlucky timing of microseconds.
    """

    def answer(wire: Wire) -> None:
        wire.send(http(200))
        wire.keep(scene.random.random() * LONGEST_IDLE_S)

    scene.system.api.plan(always(Answer("200, closed soon", contact=True, act=answer)))
    scene.open(40, over_s=4.0)
    scene.system.until(lambda: not scene.shop.busy and scene.system.is_settled(), 60)
    operator = Operator(scene.system.state.scripts, scene.system.state.keys)
    unread = 0
    for session in scene.system.state.sessions.read(list(scene.shop.visits)):
        records = [record for record in operator.read(session.outreaches) if record and record.state == "unknown"]
        unread += bool(records) and not _of(scene, session.session_id)
    scene.expect(unread <= 1, f"{unread} outreaches ended unknown although the server has read no request of theirs")


def redirecting(scene: Scene) -> None:
    """Redirect some requests to an address of this machine that must not receive any."""
    with socket.create_server(("127.0.0.1", 0)) as inside:
        where = f"http://127.0.0.1:{inside.getsockname()[1]}/"
        plan = [refuse(302, location=where) if scene.random.random() < 0.4 else ACCEPT for _ in range(40)]
        scene.system.api.plan(in_turn(*plan, ACCEPT))
        scene.open()
        scene.system.until(lambda: not scene.shop.busy and scene.system.is_settled(), 60)
        arrived, _, _ = select.select([inside], [], [], 0)
        scene.expect(not arrived, "a redirect was followed")


def _of(scene: Scene, session: str) -> list[Request]:
    return [request for request in scene.system.api.requests() if request.session == session]


def _bounded(scene: Scene) -> None:
    for session in scene.shop.visits:
        by_stamp: dict[str, int] = {}
        for request in _of(scene, session):
            by_stamp[request.stamp] = by_stamp.get(request.stamp, 0) + 1
        scene.expect(all(number <= ATTEMPTS for number in by_stamp.values()), f"{session}: {by_stamp}")


def _in_time(scene: Scene) -> None:
    """No attempt can last longer than its deadline and a second, even with a slow server."""
    operator = Operator(scene.system.state.scripts, scene.system.state.keys)
    for session in scene.system.state.sessions.read(list(scene.shop.visits)):
        for record in operator.read(session.outreaches):
            for line in record.history if record else ():
                words = line.text.split()
                if words[:1] == ["attempt"] and "ms" in words:
                    took_s = int(words[words.index("ms") - 1]) / 1000
                    scene.expect(took_s < TIMEOUT_S + 1, f"an attempt of {session.session_id} took {took_s} s")


def _in_seconds(seconds: int) -> Callable[[], str]:
    return lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


FAULTS = (
    Fault("11", "API answers 500 and 503 in bursts", failing, OR_DEAD, env=BREAKER),
    Fault("12a", "429, Retry-After in seconds", too_many(lambda: "2", 2.0)),
    Fault("12b", "429, Retry-After as a date", too_many(_in_seconds(3), 1.9)),
    Fault("12c", "429, Retry-After junk", too_many(lambda: "soon", 0.0)),
    Fault("12d", "429, Retry-After negative", too_many(lambda: "-5", 0.0)),
    Fault("12e", "429, Retry-After: 1000000000", asked_for_ages, USUAL | {"expired.by_operator"}),
    Fault(
        "13a", "accepts or not, and never answers", answering(either("no answer", lambda wire: wire.hang())), OR_UNKNOWN
    ),
    Fault("13b", "resets after the request", answering(either("reset", lambda wire: wire.reset())), OR_UNKNOWN),
    Fault("13c", "409 and REQUEST_IN_PROCESS", answering(conflicts), OR_UNKNOWN),
    Fault("13d", "504, accepted or not", answering(either("504", lambda wire: wire.send(http(504)))), OR_UNKNOWN),
    Fault(
        "13e",
        "closes idle connections when they are used again",
        closing_idle,
        OR_UNKNOWN,
        env={"WINBACK_DELIVERY__ENDPOINT": "http://localhost:{api}/"},
    ),
    Fault("13f", "408, 421, 423 and 425", answering(not_carried_out), OR_UNKNOWN),
    Fault("14a", "drips its headers", answering(odd("drip", drip_head)), OR_UNKNOWN),
    Fault("14b", "drips its body", answering(odd("drip", drip_body))),
    Fault("14c", "body of 1 GB", flooding("flood", flood)),
    Fault("14d", "gzip bomb", flooding("bomb", bomb)),
    Fault("15a", "200 with HTML", answering(odd("html", says(b"<html>", content_type="text/html")))),
    Fault("15b", "200 with broken JSON", answering(odd("json", says(b'{"code": ')))),
    Fault("15c", "302 to an internal address", redirecting, OR_DEAD),
    Fault("16a", "connections refused for 3 s", refused_connections, OR_DEAD),
    Fault(
        "16b",
        "no such name",
        unsendable,
        OR_DEAD,
        env={"WINBACK_DELIVERY__ENDPOINT": "https://no-such-host.invalid/", **FEW_ATTEMPTS},
    ),
    Fault(
        "16c",
        "plain HTTP where HTTPS is expected",
        unsendable,
        OR_DEAD,
        env={"WINBACK_DELIVERY__ENDPOINT": "https://127.0.0.1:{to_api}/", **FEW_ATTEMPTS},
    ),
)
