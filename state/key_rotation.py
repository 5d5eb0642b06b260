"""Key rotation: re-encrypting data under the first key while the deployment runs."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from state.calls import sessions as lua
from state.cipher import OPEN_FIELDS, Cipher, key_id_of, sealed_in
from state.errors import UnreadableError
from state.keys import Keys
from state.outreach_texts import BODY, HISTORY
from state.script import Call
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import OWN_FIELDS, STAMP_WIDTH

PAGE = 200
"""Records that are read and written together."""

# A quoted reply at the end of an attempt's line, in plain text from before there was a key.
_QUOTED = re.compile(
    r"^([0-9]+ attempt [0-9]+(?: in [0-9]+ ms)?(?: \(left out: [^)\n]*\))? http_[0-9]+(?:\.\w+)?) (?!~)(.+)$",
    re.MULTILINE,
)


@dataclass(slots=True)
class RotationTally:
    """What one pass found and did."""

    records: int = 0
    """Sessions and outreaches that were read."""
    values: Counter[str] = field(default_factory=Counter)
    """Values found, by key id; an empty id: not encrypted."""
    rewritten: int = 0
    changed: int = 0
    """Values that another process changed between the read and the write, and that were left as they are."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Records with values that can't be decrypted, and why."""
    holders: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records by key id and kind (`session`, `outreach`, `body`) that have a value under that key."""
    _last: dict[str, str] = field(default_factory=dict)

    def count(self, kind: str, record: str, key_id: str) -> None:
        """Count one value of a record, and the record once; the values of a record follow each other."""
        self.values[key_id] += 1
        if self._last.get(key_id) != record:
            self._last[key_id] = record
            self.holders[key_id, kind] += 1


class _Record(NamedTuple):
    partition: int
    kind: str
    id: str

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}"


class Rotation:
    """Re-encrypts everything under the first key of a cipher. Can be interrupted and started again at any time.

    `dry_run`: only count values by key, and write nothing.
    """

    def __init__(self, scripts: Scripts, keys: Keys, cipher: Cipher, *, dry_run: bool = False) -> None:
        self._dry_run = dry_run
        self._scripts = scripts
        self._keys = keys
        self._cipher = cipher
        self._ours = re.compile(rf"{re.escape(keys.namespace)}:\{{(\d\d)\}}:(session|outreach|body):(.+)", re.DOTALL)

    def size(self) -> int:
        """Return how many keys the server holds: an upper bound for one pass."""
        with driver_errors():
            return int(self._scripts.client.dbsize())

    def steps(self, tally: RotationTally) -> Iterator[int]:
        """Make one pass and re-encrypt values as needed; yield the number of records after each step.

        Raises:
            StateError: The server is down; finished steps stay done.
        """
        records = self._records()
        while page := list(islice(records, PAGE)):
            self._step(page, tally)
            yield len(page)

    def _records(self) -> Iterator[_Record]:
        with driver_errors():
            for key in self._scripts.client.scan_iter(f"{self._keys.namespace}:{{??}}:*:*", count=PAGE):
                if match := self._ours.fullmatch(key.decode()):
                    yield _Record(int(match[1]), match[2], match[3])

    def _step(self, page: Sequence[_Record], tally: RotationTally) -> None:
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for record in page:
                pipe.hgetall(self._keys.partition(record.partition) + record.name)
            found: list[Mapping[bytes, bytes]] = pipe.execute()
        calls: list[Call[int]] = []
        wanted = 0
        for record, stored in zip(page, found, strict=True):
            texts = {name.decode(): value.decode() for name, value in stored.items()}
            reencrypted = list((self._session if record.kind == "session" else self._outreach)(record, texts, tally))
            if reencrypted:
                changes = [word for name, text in reencrypted for word in (name, texts[name], text)]
                calls.append(lua.compare_and_set(self._keys.partition(record.partition), record.name, *changes))
                wanted += len(reencrypted)
        replaced = sum(self._scripts.run_many(calls))
        tally.records += len(page)
        tally.rewritten += replaced
        tally.changed += wanted - replaced

    def _session(self, record: _Record, texts: Mapping[str, str], tally: RotationTally) -> Iterator[tuple[str, str]]:
        for name, value in texts.items():
            stamp, stored = value[:STAMP_WIDTH], value[STAMP_WIDTH:]
            if name not in OWN_FIELDS and name not in OPEN_FIELDS and stored:
                reencrypted = self._reencrypt(record, name, stamp, stored, tally)
                if reencrypted != stored:
                    yield name, stamp + reencrypted

    def _outreach(self, record: _Record, texts: Mapping[str, str], tally: RotationTally) -> Iterator[tuple[str, str]]:
        if body := texts.get("body", ""):
            reencrypted = self._reencrypt(record, BODY, "", body, tally)
            if reencrypted != body:
                yield "body", reencrypted
        history = before = texts.get("history", "")
        for sealed in set(sealed_in(history)):
            history = history.replace(sealed, self._reencrypt(record, HISTORY, "", sealed, tally))
        if self._dry_run:
            return
        history = _QUOTED.sub(lambda line: f"{line[1]} {self._reencrypt(record, HISTORY, '', line[2], tally)}", history)
        if history != before:
            yield "history", history

    def _reencrypt(self, record: _Record, name: str, stamp: str, stored: str, tally: RotationTally) -> str:
        key_id = key_id_of(stored)
        tally.count(record.kind, record.name, key_id)
        if self._dry_run or key_id == self._cipher.ids[0]:
            return stored
        try:
            text = self._cipher.decrypt(record.id, name, stamp, stored)
        except UnreadableError as exc:
            tally.unreadable[record.name] = str(exc)
            return stored
        return self._cipher.encrypt(record.id, name, stamp, text)
