"""Reads all keys of a namespace and decrypts their values."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from state.cipher import Cipher
from state.errors import UnreadableError
from state.event_stream import Item
from state.keys import Keys
from state.outreach_texts import BODY, readable
from state.privacy_requests import PrivacyRequests
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import read_session
from state.stored_data import KeyText
from state.visitor_records import VisitorRecords

CHUNK = 500
_WHOLE = {"hash": "HGETALL", "string": "GET"}
"""Types that are read as a whole."""
Fields = Sequence[bytes] | Mapping[bytes, bytes] | None


class KeyScan:
    """Reads keys, page by page."""

    def __init__(self, scripts: Scripts, keys: Keys, cipher: Cipher) -> None:
        self._scripts = scripts
        self._keys = keys
        self._cipher = cipher
        self._visitors = VisitorRecords(scripts, keys, cipher)
        self._requests = PrivacyRequests(scripts, keys, cipher)

    def scan_all(self) -> Iterator[KeyText]:
        """Yield every key of the namespace: its name, and its content as one text (large ones in pieces)."""
        for keys in self.scan("*"):
            with driver_errors():
                pipe = self._scripts.client.pipeline(transaction=False)
                for key in keys:
                    pipe.type(key)
                types: list[bytes] = pipe.execute()
                kinds = [kind.decode() for kind in types]
                for key, kind in zip(keys, kinds, strict=True):
                    if kind in _WHOLE:
                        pipe.execute_command(_WHOLE[kind], key)
                whole = iter(pipe.execute())
            for key, kind in zip(keys, kinds, strict=True):
                if kind == "hash":
                    yield from (KeyText(key.decode(), text) for text in self._hash_texts(key, decoded(next(whole))))
                elif kind == "string":
                    yield KeyText(key.decode(), (next(whole) or b"").decode(errors="replace"))
                else:
                    for piece in self._pieces(key, kind):
                        yield KeyText(key.decode(), piece)

    def opened(self, owner: str, name: str, stamp: str, stored: str) -> str:
        """Return the decrypted text; empty if its key is lost."""
        try:
            return self._cipher.decrypt(owner, name, stamp, stored)
        except UnreadableError:
            return ""

    def scan(self, pattern: str) -> Iterator[list[bytes]]:
        """Yield the keys of the namespace that match a pattern, page by page."""
        with driver_errors():
            keys = self._scripts.client.scan_iter(f"{self._keys.namespace}:{pattern}", count=1000)
        while True:
            with driver_errors():
                chunk = list(islice(keys, CHUNK))
            if not chunk:
                return
            yield chunk

    def stream(self, key: str) -> Iterator[Item]:
        """Yield all entries of a stream."""
        first = "-"
        while True:
            with driver_errors():
                # Not through the driver's own function, whose reply depends on the protocol.
                items: list[Item] = self._scripts.client.execute_command("XRANGE", key, first, "+", "COUNT", CHUNK)
            yield from items
            if len(items) < CHUNK:
                return
            first = f"({items[-1][0].decode()}"

    def _hash_texts(self, key: bytes, stored: dict[str, str]) -> Iterator[str]:
        # The stamps of a session's fields end in digits, which would merge with those of a number.
        if b":session:" in key:
            yield str(dict(read_session(session_of(key.decode()), stored, self._cipher).fields))
        elif self._visitors.name_in(key.decode()):
            yield from (stored[one] for one in ("session", "before") if stored.get(one))
            yield str(dict(self._visitors.customer(stored)))
        elif request := self._requests.id_in(key.decode()):
            yield self._requests.text(request, stored)
        else:
            owner = last_of(key)
            body = self.opened(owner, BODY, "", stored.pop("body", ""))
            yield readable(self._cipher, owner, f"{body} {stored}")

    def _pieces(self, key: bytes, kind: str) -> Iterator[str]:
        client = self._scripts.client
        with driver_errors():
            match kind:
                case "zset":
                    yield from (member.decode() for member, _ in client.zscan_iter(key, count=1000))
                case "set":
                    yield from (member.decode() for member in client.sscan_iter(key, count=1000))
                case "stream":
                    yield from (str(decoded(fields)) for _, fields in self.stream(key.decode()))
                case "list":
                    yield from (item.decode(errors="replace") for item in client.lrange(key, 0, -1))


def session_of(key: str) -> str:
    """Return the id of a key's session; empty for any other key."""
    return key.partition(":session:")[2]


def decoded(fields: Fields) -> dict[str, str]:
    """Return the names and values of a hash or an entry as texts."""
    fields = fields or ()
    pairs = fields.items() if isinstance(fields, Mapping) else zip(fields[::2], fields[1::2], strict=True)
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in pairs}


def last_of(key: bytes) -> str:
    """Return the last part of a key: the id of an outreach."""
    return key.decode().rpartition(":")[2]
