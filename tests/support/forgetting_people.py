"""A shop with people to erase, and checks for what is left of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from state.people import person_of
from tests.support.decision_support import Shop, shop_on
from tests.support.events import JANE
from tests.support.states import SECRET
from tests.support.stored_state import texts
from worker.supervision.embedded_valkey import EmbeddedValkey

PHONE = JANE["phone_number"]
JANES = person_of(PHONE, SECRET)
JOHN = {"full_name": "John Doe", "phone_number": "+573001234568", "country_code": "CO"}
TRACES = ("3001234567", "300 123 4567", "Jane", "s-1", "s-2", "s-3")


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def left(shop: Shop) -> dict[str, list[str]]:
    """Return keys with a trace of Jane, by trace, from the server's own dumps instead of the code under test."""
    client: Any = shop.state.client
    found: dict[str, list[str]] = {}
    for key in client.scan_iter("*"):
        content = client.dump(key)
        match client.type(key):
            case b"hash":
                content = repr(client.hgetall(key)).encode()
            case b"zset":
                content = repr(client.zrange(key, 0, -1)).encode()
            case b"stream":
                content = repr(client.xrange(key)).encode()
            case b"string":
                content = client.get(key)
        for trace in TRACES:
            if trace.encode() in key + content:
                found.setdefault(trace, []).append(key.decode())
    return {trace: sorted(keys) for trace, keys in found.items()}


def tombstones(shop: Shop, *sessions: str) -> dict[str, list[str]]:
    """Return what can be left of sessions: the names of their tombstones."""
    for session in sessions:
        fields = texts(shop.state, shop.state.keys.session(session)).keys()
        assert fields - {"sending"} == {"state", "forgotten"}
    return {session: [shop.state.keys.session(session)] for session in sessions}
