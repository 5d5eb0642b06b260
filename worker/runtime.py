"""The state of a process in Redis, built from the settings in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from redis import Redis, RedisCluster

from detectors.lanes import milliseconds
from detectors.pending import payment_window
from detectors.sequence import RANK_NAMES
from state import announcements, deployment
from state.attribution import Attribution
from state.cipher import Cipher, Unencrypted, cipher_of
from state.connection import connect, replicas_of, require_suitable
from state.errors import StateError
from state.event_streams import Streams
from state.experiments import Experiments
from state.keys import Keys
from state.orders import Orders
from state.outbox import Outbox
from state.people import People
from state.replication import NONE, Replicas
from state.scripts import Scripts
from state.sending_control import Control
from state.sessions import Sessions
from tasks.delivery.sending_limits import limits_of
from tasks.policy.law.limits import longest_limit_ms
from worker.monitoring import announcer
from worker.settings import Settings

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

_OUTLIER = "odd"


class Destination(NamedTuple):
    """Where requests go: `delivery.mode` and `delivery.endpoint`; both empty for a process that sends none."""

    mode: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """All data in Redis, under one namespace of one server."""

    client: Redis | RedisCluster
    keys: Keys
    scripts: Scripts
    sessions: Sessions
    outbox: Outbox
    people: People
    streams: Streams
    control: Control
    attribution: Attribution
    experiments: Experiments
    orders: Orders
    cipher: Cipher = field(default_factory=Unencrypted)
    about: Callable[[], Mapping[str, str]] = dict
    """The settings that this process announces."""
    sending_mode: str = ""
    """How this process sends, if it is a worker."""
    delivery: Destination = field(default_factory=Destination)
    secret: bytes = field(default=b"", repr=False)
    """The identity secret."""
    _logged: set[str] = field(default_factory=set)
    """Encryption keys whose absence this process has logged."""
    _agreement: list[str] = field(default_factory=lambda: [""])

    def heartbeat(self, role: str) -> None:
        """Record that this process runs in this role, its encryption key, and whether it lacks one."""
        deployment.heartbeat(self.scripts, self.keys, role)
        with suppress(StateError):  # a server that doesn't allow it must not look like a dead role
            announcements.announce(self.scripts, self.keys, role, self.about())
        # Other roles encrypt nothing: a wrong key of theirs must not be recorded as one of the data's.
        if role in deployment.PERSONAL_ROLES:
            recorded = deployment.recorded_keys(self.scripts, self.keys)
            missing = [key_id for key_id in recorded if key_id not in self.cipher.ids]
            for key_id in self.cipher.ids[:1]:
                if key_id in recorded or not missing:
                    deployment.use_key(self.scripts, self.keys, key_id)
            # The role continues even if this report fails.
            with suppress(StateError):
                self._report_missing_keys(role, missing)

    def declare(self) -> None:
        """Declare how this worker sends. It acts only while all running workers declare the same.

        Raises:
            StateError: The server doesn't answer.
        """
        # A worker that doesn't fit the data any more declares a mode in which no worker sends, including its own
        # threads.
        fits = deployment.fits(self.scripts, self.keys, self.secret)
        declared = announcements.declare(
            self.scripts, self.keys, self.sending_mode if fits else f"{self.sending_mode} {_OUTLIER}"
        )
        answer = declared if fits else _OUTLIER
        if answer == self._agreement[0]:
            return
        self._agreement[0] = answer
        if answer == "agreed":
            mode, endpoint = self.delivery
            deployment.announce(self.scripts, self.keys, mode=mode, endpoint=endpoint)
            _log().info("sends", mode=mode)
        elif answer == _OUTLIER:
            _log().error("worker_mismatch", acts="no more", hint="stop it: the data belongs to another version")
        elif answer == "mixed":
            hint = "stop the unwanted workers: winback status names them"
            _log().error("workers_disagree", mode=self.delivery.mode, acts="when all agree", hint=hint)

    def _report_missing_keys(self, role: str, missing: Sequence[str]) -> None:
        """Report missing keys: a key added after this process started encrypts data that this process can't read."""
        if not missing:
            return
        deployment.report_missing_key(self.scripts, self.keys, role)
        if not self._logged.issuperset(missing):
            self._logged.update(missing)
            _log().error("encryption_key_missing", keys=missing, hint="restart it with WINBACK_ENCRYPTION_KEYS")


def open_state(
    settings: Settings, *, connections: int = 16, replicas: Replicas = NONE, sends: bool = False, timeout_s: float = 0
) -> State:
    """Return the state that the settings name; nothing is connected yet, except to a cluster.

    Args:
        settings: The server, and how to read it.
        connections: The most connections.
        replicas: How many must acknowledge an attempt before its request.
        sends: Whether this process makes attempts: then it acts only in the deployment's mode.
        timeout_s: The longest wait for a reply of the server; 0: the usual time.

    Raises:
        StateError: The URL can't be used, or the cluster doesn't answer.
    """
    client = connect(settings.redis_url or "", max_connections=connections, timeout_s=timeout_s)
    keys = Keys(settings.namespace)
    scripts = Scripts(client, replicas)
    cipher = _cipher(settings)
    sending_mode = announcer.sending_mode(settings) if sends else ""
    return State(
        client,
        keys,
        scripts,
        Sessions(scripts, keys, RANK_NAMES, cipher),
        Outbox(scripts, keys, milliseconds(settings.delivery.lease), cipher),
        _people(settings, scripts, keys),
        Streams(scripts, keys, settings.ingest.streams, milliseconds(settings.collect.missing_after)),
        Control(scripts, keys, limits_of(settings.delivery), sending_mode),
        Attribution(scripts, keys, milliseconds(settings.contact.attribution_window)),
        Experiments(scripts, keys, settings.experiment.name, milliseconds(settings.experiment.window)),
        Orders(scripts, keys),
        cipher,
        about=partial(announcer.about, settings),
        sending_mode=sending_mode,
        delivery=Destination(settings.delivery.mode, settings.delivery.endpoint),
        secret=identity_secret(settings),
    )


def _people(settings: Settings, scripts: Scripts, keys: Keys) -> People:
    return People(
        scripts,
        keys,
        longest_limit_ms=longest_limit_ms(settings.contact),
        lease_ms=milliseconds(settings.delivery.lease),
        bought_window_ms=milliseconds(settings.contact.purchase_cooldown),
        payment_window_ms=milliseconds(payment_window(settings.detection)),
    )


def _cipher(settings: Settings) -> Cipher:
    return cipher_of(settings.encryption_keys.get_secret_value() if settings.encryption_keys else "")


def join_deployment(state: State, settings: Settings, *, personal: bool = True, lost: Sequence[str] = ()) -> str:
    """Check that this process fits the server and its data; return the server's name and version.

    `personal`: it reads or writes personal data, so it needs the encryption keys, except the `lost` ones.

    Raises:
        StateError: It doesn't fit, or the server doesn't answer.
    """
    server = require_suitable(state.client)
    deployment.check(
        state.scripts, state.keys, identity_secret(settings), (*state.cipher.ids, *lost) if personal else None
    )
    if personal:
        # Earlier reports might be fixed; problems that remain are reported again.
        deployment.report(state.scripts, state.keys, "encryption", "")
        deployment.report(state.scripts, state.keys, "shared_identity", "")
    return server


def identity_secret(settings: Settings) -> bytes:
    """Return the secret that identifies people; the caller has required it."""
    secret = settings.identity_secret
    return secret.get_secret_value().encode() if secret else b""


def count_replicas(state: State, settings: Settings) -> Replicas:
    """Return how many replicas must acknowledge an attempt, by `redis_replicas` and the current replicas.

    Raises:
        StateError: The server doesn't answer.
    """
    found = replicas_of(state.client, settings.redis_replicas)
    deployment.report(state.scripts, state.keys, "replication", "")
    _log().info(
        "replicas", must_acknowledge=found.fewest, of="auto" if settings.redis_replicas is None else "redis_replicas"
    )
    return found


def _log() -> BoundLogger:
    import structlog

    return structlog.stdlib.get_logger("winback.runtime")
