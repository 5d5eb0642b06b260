"""Shared by the encryption tests: keys, a state that uses them, and a server's content as text."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from state.cipher import AesGcm
from state.session_record import STAMP_WIDTH
from tests.support.dumps import dump
from tests.support.events import Event, event
from tests.support.states import make_state
from tests.support.stored_state import stored
from worker.runtime import State

KEY, OTHER = bytes(range(32)), bytes(range(100, 132))
JOHN = {
    "full_name": "John Q. Sample",
    "phone_number": "+573007654321",
    "email": "john.q@sample.example",
    "country_code": "CO",
    "language": "es-419",
    "consent": {"call": True, "whatsapp": True},
}
CART = {"total_value": 4711.25, "currency": "COP", "items": [{"name": "Purple Kettle", "sku": "KTL-0815"}]}
ENGAGEMENT = {"preferred_channel": "whatsapp", "reason": "asked for gift wrap", "metadata": {"note": "for Aunt Mabel"}}
PERSONAL = (
    "John", "Sample", "573007654321", "3007654321", "john.q", "sample.example", "es-419", "4711.25",
    "Purple", "Kettle", "KTL-0815", 'whatsapp"', "gift wrap", "Mabel",
)  # fmt: skip


def johns_visit(session: str = "s-1", stage: str = "checkout", **more: Any) -> Event:  # noqa: ANN401 - any field
    """Return an event with all the personal data that an event can hold."""
    return event(session=session, stage=stage) | {"customer": JOHN, "cart": CART, "engagement": ENGAGEMENT} | more


def with_keys(state: State, *keys: bytes) -> State:
    """Return the same server's state for a process with these keys."""
    return make_state(state.client, state.scripts, state.keys.namespace, AesGcm(keys) if keys else None)


def seal_again(state: State, session: str = "s-1") -> None:
    """Store a session's fields, written with another key, as this process would."""
    client: Any = state.client
    readers = with_keys(state, KEY, OTHER)
    flat = state.cipher.encrypt_fields(session, "0" * STAMP_WIDTH, stored(readers, session).fields)
    client.hset(state.keys.session(session), mapping=dict(zip(flat[::2], flat[1::2], strict=True)))


def key_id(key: bytes) -> str:
    return AesGcm([key]).ids[0]


def found_in(texts: Iterable[bytes]) -> set[str]:
    """Return the personal words that any of these texts contain."""
    return {word for text in texts for word in PERSONAL if word.encode() in text}


def content(state: State) -> list[bytes]:
    """Return every key with its content as text, and the server's own dump of it."""
    shown = [f"{key} {value!r}".encode() for key, value in dump(state).items()]
    client: Any = state.client
    return shown + [client.dump(key) or b"" for key in client.scan_iter("*")]


def files_in(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in directory.rglob("*") if path.is_file()]


def quoting(*messages: str) -> bytes:
    return json.dumps({"code": "INVALID_REQUEST", "messages": messages}).encode()
