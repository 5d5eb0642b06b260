"""The slots of the stream and of a busy partition move to another node and back while everything runs."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import MovedError, RedisError

from detectors.settings import DetectionSettings
from state.errors import ServerUnavailableError, StateError
from state.keys import Keys
from state.partitions import partition_of
from tasks.delivery.attempt import attempt
from tasks.deps import Deps
from tasks.dispatch import dispatch
from tasks.sweep import sweep
from tests.support.attempts import yuno
from tests.support.cluster_nodes import Cluster, owner, three_nodes
from tests.support.events import event
from tests.support.faulty_server import OK
from tests.support.ingest_support import ingest_of
from tests.support.partitions import same_partition
from tests.support.states import SECRET
from tests.support.stored_state import stored
from tests.support.waiting import eventually
from worker import runtime
from worker.runtime import State
from worker.settings import load

pytestmark = pytest.mark.xdist_group("cluster_nodes")

SESSIONS, MOVES, SILENT = 60, 6, "500ms"
KEYS = Keys()


def moved(nodes: Cluster, key: str, old: int, new: int) -> None:
    """Move a key's slot, key by key, like `redis-cli --cluster reshard`."""
    slot = key_slot(key.encode())
    source, target = nodes.clients[old], nodes.clients[new]
    target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", nodes.ids[old])
    source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", nodes.ids[new])
    while keys := source.execute_command("CLUSTER GETKEYSINSLOT", slot, 3):
        for one in keys:
            sleep(0.05)  # like a network
            source.execute_command("MIGRATE", "127.0.0.1", nodes.servers[new].port, one, 0, 5000)
    # The target first: if a source gives a slot away before any node takes it, the slot is lost.
    eventually(lambda: _agree(nodes, key, new, target, source), 30)


def _agree(nodes: Cluster, key: str, new: int, target: Any, source: Any) -> bool:  # noqa: ANN401 - clients of a node
    """Set a key's slot on every node; return whether all had it already.

    Gossip about an earlier move can undo this one on a node. `redis-cli --cluster fix` also sets it again.
    """
    known = [_says(nodes, client, key, new) for client in (target, source, *nodes.clients)]
    return all(known)


def _says(nodes: Cluster, client: Any, key: str, new: int) -> bool:  # noqa: ANN401 - a client of one node
    """Return whether a node has the right owner of a key's slot; if not, set it."""
    try:
        client.exists(key)
        at = client is nodes.clients[new]
    except MovedError as superseded_by:
        at = superseded_by.port == nodes.servers[new].port
    except RedisError:
        at = False
    if not at:
        client.execute_command("CLUSTER SETSLOT", key_slot(key.encode()), "NODE", nodes.ids[new])
    return at


def again(act: Callable[[], object], stopped: Event, away: Event, errors: list[Exception]) -> None:
    """Repeat an action; wait while a server is down, and record anything else as a fault."""
    while not stopped.is_set():
        try:
            act()
        except ServerUnavailableError:
            away.set()
        except (StateError, RedisError) as problem:
            errors.append(problem)
        sleep(0.02)


@contextmanager
def running(state: State, deps: Deps, away: Event, errors: list[Exception]) -> Iterator[None]:
    """Ingest, sweep and dispatch, and a worker, each in a thread."""
    stopped, queue = Event(), SimpleQueue[str]()
    live = replace(deps, monotonic=monotonic, sleep=sleep, detection=lambda: DETECTION)

    def enqueue(found: Sequence[str]) -> None:
        for outreach in found:
            queue.put(outreach)

    def sweeps() -> None:
        sweep(live)
        dispatch(live, queued=queue.qsize, enqueue=enqueue)

    def attempts() -> None:
        with suppress(Empty):
            attempt(queue.get(timeout=0.05), live)

    def pause(seconds: float) -> None:
        away.set()
        stopped.wait(seconds)

    def ingests() -> None:
        try:
            ingest_of(state).run(stopped.is_set, pause)
        except (StateError, RedisError) as problem:
            errors.append(problem)

    threads = [Thread(target=ingests, daemon=True)]
    threads += [
        Thread(target=again, args=(act, stopped, away, errors), daemon=True) for act in (sweeps, attempts, attempts)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join(20)


DETECTION = DetectionSettings.model_validate(
    {
        "idle": dict.fromkeys(("product_selection", "cart_review", "checkout", "payment"), SILENT),
        "sweep_interval": "100ms",
    }
)


def state_of(nodes: Cluster) -> State:
    short = {"WINBACK_DELIVERY__TIMEOUT": "500ms", "WINBACK_DELIVERY__LEASE_MARGIN": "1s"}
    env = {"WINBACK_REDIS_URL": nodes.url, "WINBACK_BROKER_URL": "redis://127.0.0.1:1/0"}
    return runtime.open_state(load({**env, **short, "WINBACK_IDENTITY_SECRET": SECRET.decode()}))


def tell(state: State, session: str, number: int, kind: str = "activity") -> None:
    """Put an event into the stream as a shop does, until the cluster takes it."""
    customer = {"full_name": "Jane Doe", "phone_number": f"+57300{number:07d}", "country_code": "CO"}
    cart = {"items": [{"name": "Kettle", "quantity": 1, "price": 5}], "total_value": 5, "currency": "COP"}
    made = json.dumps(event(kind, session, customer=customer, cart=cart)).encode()

    client: Any = state.client

    def told() -> bool:
        with suppress(RedisError):
            return bool(client.execute_command("XADD", KEYS.events, "*", "event", made))
        return False

    eventually(told, 20)


@pytest.mark.parametrize("what", ["stream", "partition"])
def test_moving_a_busy_slot_loses_and_doubles_nothing(tmp_path: Path, what: str) -> None:
    with three_nodes(tmp_path) as nodes:
        state, away, errors = state_of(nodes), Event(), list[Exception]()
        sessions = same_partition("busy", SESSIONS)
        key = KEYS.events if what == "stream" else KEYS.partition(partition_of(sessions[0]))
        slot = key_slot(key.encode())
        state.streams.first.create_group()
        with state.client, yuno(state, OK, rate="off") as (deps, server), running(state, deps, away, errors):
            home = owner(slot)
            for move in range(MOVES):
                for number in range(move * SESSIONS // MOVES, (move + 1) * SESSIONS // MOVES):
                    tell(state, sessions[number], number)
                    if number % 3 == 0:
                        tell(state, sessions[number], number, "order_completed")
                moved(nodes, key, (home + move) % 3, (home + move + 1) % 3)
            leaving = [session for number, session in enumerate(sessions) if number % 3]
            eventually(lambda: all(_ended(state, session) for session in leaving), 60)
            contacts = Counter(_session(body) for wire in server.wires for body in wire.requests)
            assert {stored(state, session).state for session in sessions if session not in leaving} == {"bought"}
            assert contacts == dict.fromkeys(leaving, 1)
            assert state.streams.check() == 0
        assert errors == []
        assert away.is_set(), "no script met a slot that was being moved"


def _ended(state: State, session: str) -> bool:
    with suppress(StateError, RedisError):
        outreach = stored(state, session).outreach
        return bool(outreach) and state.client.hget(KEYS.outreach(outreach), "state") in {b"sent", b"unknown"}
    return False


def _session(request: bytes) -> str:
    body: dict[str, Any] = json.loads(request.partition(b"\r\n\r\n")[2])
    return str(body["session"]["session_id"])
