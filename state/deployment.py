"""The settings that all processes of a deployment must share, recorded once, and their heartbeats."""

import hmac
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from state.calls import monitoring as lua
from state.errors import DeploymentMismatchError
from state.keys import HEARTBEAT_TTL_MS, Keys
from state.partitions import PARTITIONS
from state.scripts import Scripts
from state.server_errors import driver_errors

SCHEMA_VERSION = 4
"""Raised if older data can't be read. 3: other identities of people. 4: other names of keys and fields."""
_KEY = "key."
"""Prefix of the record's fields that name an encryption key."""
_MISSING_KEY = "missing_key."
"""Prefix of the role in the heartbeat of a process that lacks such a key."""
PERSONAL_ROLES = ("ingest", "recover")
"""The roles that read and write personal data, and so need every key."""


def fingerprint(secret: bytes) -> str:
    """Return a text that tells two identity secrets apart without revealing either."""
    return hmac.digest(secret, b"winback deployment fingerprint", sha256).hex()[:16]


def check(scripts: Scripts, keys: Keys, secret: bytes | None, key_ids: Sequence[str] | None = ()) -> None:
    """Record this deployment, or compare it with the record; without a secret, only compare the rest.

    `key_ids`: the encryption keys of this process, the encrypting one first; None: it doesn't use encrypted data.

    Raises:
        DeploymentMismatchError: Names the difference and the fix.
    """
    mine = {"schema": str(SCHEMA_VERSION), "partitions": str(PARTITIONS)}
    if secret is not None:
        mine["identity"] = fingerprint(secret)
    with driver_errors():
        for field, value in mine.items():
            scripts.client.hsetnx(keys.deployment, field, value)
        stored = {k.decode(): v.decode() for k, v in scripts.client.hgetall(keys.deployment).items()}
    hints = {
        "schema": "the data was written by another version of Winback, which uses other names of keys and fields. "
        "Export the opt-outs with that version (winback optout export > FILE), set another namespace, and import them "
        "with this one (winback optout import FILE); or run that version",
        "partitions": "the data is divided into another number of partitions: use another namespace",
        "identity": "identity_secret isn't the one this data was written with, so people who were contacted, bought or "
        "opted out wouldn't be recognised: configure the earlier secret, or use another namespace",
    }
    for field, value in mine.items():
        if stored[field] != value:
            raise DeploymentMismatchError(f"deployment record {keys.deployment!r}: {field} differs: {hints[field]}")
    if key_ids is not None:
        require_keys(scripts, keys, key_ids)
        for key_id in key_ids[:1]:
            use_key(scripts, keys, key_id)


def require_schema(scripts: Scripts, keys: Keys) -> None:
    """Compare this version with the record, without writing it: for a process that reads nothing personal.

    Raises:
        DeploymentMismatchError: the data belongs to another version.
    """
    with driver_errors():
        found = scripts.client.hmget(keys.deployment, "schema", "partitions")
    mine = (str(SCHEMA_VERSION), str(PARTITIONS))
    if any(stored is not None and stored.decode() != own for stored, own in zip(found, mine, strict=True)):
        raise DeploymentMismatchError(
            f"deployment record {keys.deployment!r}: the data was written by another version of Winback: run that "
            "version, or use another namespace"
        )


def fits(scripts: Scripts, keys: Keys, secret: bytes) -> bool:
    """Return whether the record still fits this process.

    Another version could have taken over the data since the process started.

    Raises:
        StateError: The server doesn't answer.
    """
    with driver_errors():
        found = scripts.client.hmget(keys.deployment, "schema", "identity")
    own = (str(SCHEMA_VERSION), fingerprint(secret))
    return all(stored is None or stored.decode() == mine for stored, mine in zip(found, own, strict=True))


def recorded_identity(scripts: Scripts, keys: Keys) -> str:
    """Return the fingerprint of the identity secret that the data was written with; empty if there is none yet."""
    with driver_errors():
        (found,) = scripts.client.hmget(keys.deployment, "identity")
    return (found or b"").decode()


def recorded_keys(scripts: Scripts, keys: Keys) -> list[str]:
    """Return the ids of all keys that might be in use for encrypted data."""
    with driver_errors():
        return key_ids_in([name.decode() for name in scripts.client.hkeys(keys.deployment)])


def key_ids_in(record: Iterable[str]) -> list[str]:
    """Return the ids of keys among the fields of the deployment's record."""
    return sorted(name.removeprefix(_KEY) for name in record if name.startswith(_KEY))


def missing_keys(scripts: Scripts, keys: Keys, key_ids: Sequence[str]) -> list[str]:
    """Return the recorded keys that aren't among these."""
    return [found for found in recorded_keys(scripts, keys) if found not in key_ids]


def require_keys(scripts: Scripts, keys: Keys, key_ids: Sequence[str]) -> None:
    """Check that a process has all recorded keys.

    Raises:
        DeploymentMismatchError: One is missing.
    """
    missing = missing_keys(scripts, keys, key_ids)
    if missing:
        has = "is not set, but this data is" if not key_ids else "lacks a key that this data may be"
        raise DeploymentMismatchError(
            f"encryption_keys: {has} encrypted under (key {', '.join(missing)}): add it to WINBACK_ENCRYPTION_KEYS; "
            "winback rotate-keys takes a key out of use"
        )


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When a process last reported that it runs (Unix ms of the server)."""

    process: str
    at_ms: int


def heartbeat(scripts: Scripts, keys: Keys, role: str) -> None:
    """Record a heartbeat of this process in this role."""
    scripts.run(lua.heartbeat(keys.heartbeat(role), f"{socket.gethostname()}:{os.getpid()}", HEARTBEAT_TTL_MS))


def heartbeats(scripts: Scripts, keys: Keys, role: str) -> list[Heartbeat]:
    """Return the heartbeats of a role's processes, latest first; ended ones are listed for a day."""
    with driver_errors():
        found = scripts.client.hgetall(keys.heartbeat(role))
    beats = [Heartbeat(process.decode(), int(at)) for process, at in found.items()]
    return sorted(beats, key=lambda beat: beat.at_ms, reverse=True)


def use_key(scripts: Scripts, keys: Keys, key_id: str) -> None:
    """Record that this process encrypts with a key, so that the key counts as in use."""
    report_key(scripts, keys, key_id)
    with driver_errors():
        scripts.client.hsetnx(keys.deployment, _KEY + key_id, "1")


def report_key(scripts: Scripts, keys: Keys, key_id: str) -> None:
    """Record that this process encrypts with a key; for a process that can't write the deployment's record."""
    heartbeat(scripts, keys, _KEY + key_id)


def report_missing_key(scripts: Scripts, keys: Keys, role: str) -> None:
    """Record that this process lacks a key that the data needs. The record expires if it isn't repeated."""
    heartbeat(scripts, keys, _MISSING_KEY + role)


def missing_key(keys: Keys, role: str) -> str:
    """Return the hash of the processes that lack a key: process → when it last reported this (ms)."""
    return keys.heartbeat(_MISSING_KEY + role)


def key_users(scripts: Scripts, keys: Keys, key_id: str) -> list[Heartbeat]:
    """Return the processes that reported within a day that they encrypt with a key, latest first."""
    return heartbeats(scripts, keys, _KEY + key_id)


def forget_key(scripts: Scripts, keys: Keys, key_id: str) -> None:
    """Record that a key isn't used any more."""
    with driver_errors():
        scripts.client.hdel(keys.deployment, _KEY + key_id)


def report(scripts: Scripts, keys: Keys, about: str, problem: str) -> None:
    """Record a problem with something (empty: resolved), for `winback status`."""
    with driver_errors():
        if problem:
            scripts.client.hset(keys.problems, about, problem)
        else:
            scripts.client.hdel(keys.problems, about)


def problems(scripts: Scripts, keys: Keys) -> dict[str, str]:
    """Return the last reported problems."""
    with driver_errors():
        return {about.decode(): text.decode() for about, text in scripts.client.hgetall(keys.problems).items()}


def announce(scripts: Scripts, keys: Keys, *, mode: str, endpoint: str) -> None:
    """Record the mode and endpoint of the last started workers. Other processes can have different settings."""
    with driver_errors():
        scripts.client.hset(keys.deployment, mapping={"mode": mode, "endpoint": endpoint})


class Announced(NamedTuple):
    """How the last started workers send; two empty texts if none ever started."""

    mode: str
    endpoint: str


def announced(scripts: Scripts, keys: Keys) -> Announced:
    """Return how the last started workers send."""
    with driver_errors():
        mode, endpoint = scripts.client.hmget(keys.deployment, "mode", "endpoint")
    return Announced((mode or b"").decode(), (endpoint or b"").decode())
