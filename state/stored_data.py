"""Stored data about people, as `state.inventory` returns it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from state.event_stream import StreamEntry


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """The person of a session, as the shop wrote it."""

    session_id: str
    phone: str
    country: str
    email: str
    original_id: str
    """The session's id as the shop wrote it, if it is stored under another one."""
    supersedes: str
    """The session that this one superseded; empty for none."""
    forgotten: bool
    """Only its tombstone is left."""


@dataclass(frozen=True, slots=True)
class StoredOutreach:
    """The person of an outreach."""

    outreach: str
    session_id: str
    body: str
    """The request, while it is kept."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A session or an outreach with all its stored data, decrypted."""

    id: str
    keys: tuple[str, ...]
    texts: Mapping[str, str]
    """Of a session: fields without stamps. Of an outreach: with its request as `body`."""
    unreadable: str = ""
    """Why something is missing that can't be decrypted; empty if all was read."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key of a person, with its content."""

    key: str
    content: object
    """A text, a mapping of texts, or a sorted set as a mapping of members to scores."""
    ttl_ms: int | None
    """None: it has no TTL."""


class WaitingEvent(NamedTuple):
    """An event that isn't applied yet."""

    stream: str
    """The key of its stream."""
    entry: StreamEntry


class RejectedEvent(NamedTuple):
    """A rejected event."""

    id: bytes
    text: str
    """All of its text."""


class KeyText(NamedTuple):
    """A key, and its content as one text (large ones in pieces)."""

    key: str
    text: str
