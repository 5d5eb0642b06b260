"""What the processes are made of: the state, the tasks' dependencies, built from the settings in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from redis import Redis, RedisCluster

from detectors.lanes import milliseconds
from detectors.sequence import RANK_NAMES
from detectors.settings import DetectionSettings
from state import announcements, deployment, refusals
from state.alarms import Alarms
from state.attribution import Attribution
from state.backlog import Backlog
from state.cipher import Cipher, Unencrypted, cipher_of
from state.connection import connect, replicas_of, require_suitable
from state.errors import StateError
from state.event_streams import Streams
from state.keys import Keys
from state.orders import Orders
from state.outbox import Outbox
from state.people import People
from state.progress_stamps import Stamps
from state.replication import NONE, Replicas
from state.scripts import Scripts
from state.sending_control import Control
from state.sessions import Sessions
from tasks.delivery.sending_limits import limits_of
from tasks.policy.law.limits import longest_period_ms
from worker.monitoring import announcer
from worker.settings import Settings

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

    from tasks.delivery.yuno import YunoClient
    from tasks.deps import Deps

NOT_REPLICATED = (
    "too few replicas of Redis acknowledge, so nothing is sent: bring them back, or set redis_replicas to what there is"
)

_ODD = "odd"


@dataclass(frozen=True, slots=True)
class State:
    """All that is in Redis, under one namespace of one server."""

    client: Redis | RedisCluster
    keys: Keys
    scripts: Scripts
    sessions: Sessions
    outbox: Outbox
    people: People
    streams: Streams
    control: Control
    attribution: Attribution
    orders: Orders
    cipher: Cipher = field(default_factory=Unencrypted)
    about: Callable[[], Mapping[str, str]] = dict
    """What this process announces of its settings."""
    how: str = ""
    """In which way this process sends, if it is a worker."""
    delivery: tuple[str, str] = ("", "")
    """Mode and endpoint."""
    secret: bytes = field(default=b"", repr=False)
    """The identity secret."""
    _logged: set[str] = field(default_factory=set)
    """Keys of encryption that this process has said it lacks."""
    _agreement: list[str] = field(default_factory=lambda: [""])

    def beat(self, role: str) -> None:
        """Say that this process, in this role, is alive, which key it encrypts with, and whether it lacks one."""
        deployment.beat(self.scripts, self.keys, role)
        with suppress(StateError):  # a server that doesn't allow it mustn't look like a dead role
            announcements.announce(self.scripts, self.keys, role, self.about())
        # Other roles encrypt nothing: a wrong key of theirs must not count as one that the data needs.
        if role in deployment.PERSONAL_ROLES:
            recorded = deployment.recorded_keys(self.scripts, self.keys)
            missing = [key_id for key_id in recorded if key_id not in self.cipher.ids]
            for key_id in self.cipher.ids[:1]:
                if key_id in recorded or not missing:
                    deployment.use_key(self.scripts, self.keys, key_id)
            # The role goes on without this being said.
            with suppress(StateError):
                self._say_what_is_missing(role, missing)

    def declare(self) -> None:
        """Declare how this worker sends. It acts only while all workers that run declare the same.

        Raises:
            StateError: the server doesn't answer.
        """
        # One that doesn't fit the data any more declares a way in which no worker sends, its own threads included.
        fits = deployment.fits(self.scripts, self.keys, self.secret)
        declared = announcements.declare(self.scripts, self.keys, self.how if fits else f"{self.how} {_ODD}")
        answer = declared if fits else _ODD
        if answer == self._agreement[0]:
            return
        self._agreement[0] = answer
        if answer == "agreed":
            mode, endpoint = self.delivery
            deployment.announce(self.scripts, self.keys, mode=mode, endpoint=endpoint)
            _log().info("sends", mode=mode)
        elif answer == _ODD:
            _log().error("worker_mismatch", acts="no more", hint="stop it: the data belongs to another version")
        elif answer == "mixed":
            hint = "stop the workers that should not run: winback status names them"
            _log().error("workers_disagree", mode=self.delivery[0], acts="when all agree", hint=hint)

    def _say_what_is_missing(self, role: str, missing: Sequence[str]) -> None:
        """A key may have been added after this process was started: others then write what it cannot read."""
        if not missing:
            return
        deployment.lacks_key(self.scripts, self.keys, role)
        if not self._logged.issuperset(missing):
            self._logged.update(missing)
            _log().error("encryption_key_missing", keys=missing, hint="restart it with WINBACK_ENCRYPTION_KEYS")


def open_state(settings: Settings, *, connections: int = 16, replicas: Replicas = NONE, sends: bool = False) -> State:
    """Return the state that the settings name; nothing is connected yet, except to a cluster.

    Args:
        settings: Where it is, and how it is read.
        connections: At most.
        replicas: How many must know of an attempt before it is made.
        sends: Whether this process makes attempts: then it acts only in the way in which the deployment sends.

    Raises:
        StateError: the URL cannot be used, or the cluster does not answer.
    """
    client, keys = connect(settings.redis_url or "", max_connections=connections), Keys(settings.namespace)
    scripts, lease_ms = Scripts(client, replicas), milliseconds(settings.delivery.lease)
    people = People(
        scripts,
        keys,
        cap_ms=longest_period_ms(settings.contact),
        lease_ms=lease_ms,
        bought_window_ms=milliseconds(settings.contact.purchase_cooldown),
    )
    cipher = cipher_of(settings.encryption_keys.get_secret_value() if settings.encryption_keys else "")
    sessions = Sessions(scripts, keys, RANK_NAMES, cipher)
    outbox, streams = Outbox(scripts, keys, lease_ms, cipher), Streams(scripts, keys, settings.ingest.streams)
    how = announcer.how_it_sends(settings) if sends else ""
    control = Control(scripts, keys, limits_of(settings.delivery), how)
    attribution = Attribution(scripts, keys, milliseconds(settings.contact.attribution_window))
    orders = Orders(scripts, keys)
    return State(
        client,
        keys,
        scripts,
        sessions,
        outbox,
        people,
        streams,
        control,
        attribution,
        orders,
        cipher,
        about=partial(announcer.about, settings),
        how=how,
        delivery=(settings.delivery.mode, settings.delivery.endpoint),
        secret=identity_secret(settings),
    )


def join_deployment(state: State, settings: Settings, *, personal: bool = True, lost: Sequence[str] = ()) -> str:
    """Check that this process fits the server and its data; return the server's name and version.

    `personal`: it reads or writes what is personal, so it needs the keys of encryption, but for those that are `lost`.

    Raises:
        StateError: it does not, or the server does not answer.
    """
    server = require_suitable(state.client)
    deployment.check(
        state.scripts, state.keys, identity_secret(settings), (*state.cipher.ids, *lost) if personal else None
    )
    if personal:
        # What was reported before may have been mended; what has not been is reported again.
        deployment.report(state.scripts, state.keys, "encryption", "")
        deployment.report(state.scripts, state.keys, "shared_identity", "")
    return server


def identity_secret(settings: Settings) -> bytes:
    """Return the secret that people are recognised by; the caller has required it."""
    secret = settings.identity_secret
    return secret.get_secret_value().encode() if secret else b""


def count_replicas(state: State, settings: Settings) -> Replicas:
    """Return how many replicas must know of an attempt before it is made, by `redis_replicas` and what there is now.

    Raises:
        StateError: the server does not answer.
    """
    found = replicas_of(state.client, settings.redis_replicas)
    deployment.report(state.scripts, state.keys, "replication", "")
    _log().info(
        "replicas", must_acknowledge=found.fewest, of="auto" if settings.redis_replicas is None else "redis_replicas"
    )
    return found


def _watch_replicas(state: State) -> Callable[[Literal["well", "failing"]], None]:
    last = "well"

    def replication(how: Literal["well", "failing"]) -> None:
        nonlocal last
        if how == last == "well":
            return
        last = how
        with suppress(StateError):
            deployment.report(state.scripts, state.keys, "replication", "" if how == "well" else NOT_REPLICATED)

    return replication


def _client(settings: Settings) -> YunoClient:
    from tasks.delivery.yuno import YunoClient

    return YunoClient(settings.delivery, max_connections=settings.worker.concurrency)


def build_deps(settings: Settings, *, sends: bool, replicas: Replicas = NONE) -> Deps:
    """Return what the tasks of one process need. `sends`: it makes attempts, so in live mode it gets a client."""
    from tasks.deps import Deps
    from tasks.policy import blocklist
    from worker.settings.reload import DetectionReader

    state = open_state(settings, connections=2 * settings.worker.concurrency + 16, replicas=replicas, sends=sends)
    live = sends and settings.delivery.mode == "live"
    reader, said = DetectionReader(settings), ["never said anything"]

    def detection() -> DetectionSettings:
        current, problem = reader()
        announcer.now_detects_by(current)
        # Once for each version of a broken file, not at every sweep.
        if (problem or "") != said[0]:
            deployment.report(state.scripts, state.keys, "detection", problem or "")
            said[0] = problem or ""  # not before: a server that was away is told at the next sweep
            if problem:
                _log().error("detection_settings_unusable", kept="the earlier ones", problem=problem)
        return current

    return Deps(
        sessions=state.sessions,
        outbox=state.outbox,
        people=state.people,
        streams=state.streams,
        control=state.control,
        attribution=state.attribution,
        orders=state.orders,
        stamps=Stamps(state.scripts, state.keys),
        alarms=Alarms(state.scripts, state.keys),
        client=_client(settings) if live else None,
        delivery=settings.delivery,
        contact=settings.contact,
        blocklist=blocklist.compiled(settings.contact.block, rehearsal=settings.delivery.rehearses),
        detection=detection,
        identity_secret=identity_secret(settings),
        in_flight=settings.in_flight,
        beat=state.beat,
        replication=_watch_replicas(state),
        backlog=Backlog(state.scripts, state.keys).note,
        flooded=lambda messages: refusals.add(state.scripts, state.keys, {"flood": messages}),
        report=lambda about, problem: deployment.report(state.scripts, state.keys, about, problem),
    )


def _log() -> BoundLogger:
    import structlog

    return structlog.stdlib.get_logger("winback.runtime")
