"""Key rotation: re-encrypting data under the first key while the deployment runs."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from state import privacy_requests, visitor_records
from state.calls import sessions as lua
from state.cipher import OPEN_FIELDS, Cipher, key_id_of, sealed_in
from state.errors import UnreadableError
from state.keys import Keys
from state.outreach_texts import BODY, HISTORY
from state.privacy_keys import privacy_prefix
from state.privacy_requests import FOUND, KINDS, PEOPLE, PrivacyRequests
from state.script import Call
from state.scripts import Scripts
from state.server_errors import driver_errors
from state.session_record import OWN_FIELDS, STAMP_WIDTH
from state.visitor_records import CUSTOMER, SHOPS, VisitorRecords

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
    """Records that were read."""
    values: Counter[str] = field(default_factory=Counter)
    """Values found, by key id; an empty id: not encrypted."""
    rewritten: int = 0
    changed: int = 0
    """Values that another process changed between the read and the write, and that were left as they are."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Records with values that can't be decrypted, and why."""
    holders: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records by key id and kind (`session`, `outreach`, `body`, `visitor`, `request`) with a value under that key."""
    _last: dict[str, str] = field(default_factory=dict)

    def count(self, kind: str, record: str, key_id: str) -> None:
        """Count one value of a record, and the record once; the values of a record follow each other."""
        self.values[key_id] += 1
        if self._last.get(key_id) != record:
            self._last[key_id] = record
            self.holders[key_id, kind] += 1


class _Record(NamedTuple):
    prefix: str
    kind: str
    id: str
    owner: str
    """Under which its values are encrypted."""

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
                    yield _Record(self._keys.partition(int(match[1])), match[2], match[3], match[3])
        # After the scan: what a collector stores in the meantime is under the key that it has reported.
        source, visitors = self._keys.source(SHOPS), VisitorRecords(self._scripts, self._keys)
        for name in visitors.waiting_names():
            kind, _, tag = name.partition(":")
            yield _Record(source, kind, tag, visitor_records.owner_of(SHOPS))
        requests = PrivacyRequests(self._scripts, self._keys)
        for request in (one for kind in KINDS for one in requests.ids(kind)):
            yield _Record(privacy_prefix(self._keys), "request", request, privacy_requests.owner_of(request))

    def _step(self, page: Sequence[_Record], tally: RotationTally) -> None:
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for record in page:
                pipe.hgetall(record.prefix + record.name)
            found: list[Mapping[bytes, bytes]] = pipe.execute()
        calls: list[Call[int]] = []
        wanted = 0
        for record, stored in zip(page, found, strict=True):
            texts = {name.decode(): value.decode() for name, value in stored.items()}
            reencrypted = list(self._reencrypted(record, texts, tally))
            if reencrypted:
                changes = [word for name, text in reencrypted for word in (name, texts[name], text)]
                calls.append(lua.compare_and_set(record.prefix, record.name, *changes))
                wanted += len(reencrypted)
        replaced = sum(self._scripts.run_many(calls))
        tally.records += len(page)
        tally.rewritten += replaced
        tally.changed += wanted - replaced

    def _reencrypted(
        self, record: _Record, texts: Mapping[str, str], tally: RotationTally
    ) -> Iterator[tuple[str, str]]:
        match record.kind:
            case "session":
                return self._session(record, texts, tally)
            case "visitor":
                return self._visitor(record, texts, tally)
            case "request":
                return self._request(record, texts, tally)
            case _:
                return self._outreach(record, texts, tally)

    def _visitor(self, record: _Record, texts: Mapping[str, str], tally: RotationTally) -> Iterator[tuple[str, str]]:
        for name, value in texts.items():
            stamp, stored = value[:STAMP_WIDTH], value[STAMP_WIDTH:]
            if name.startswith(CUSTOMER) and stored:
                reencrypted = self._reencrypt(record, name.removeprefix(CUSTOMER), stamp, stored, tally)
                if reencrypted != stored:
                    yield name, stamp + reencrypted

    def _request(self, record: _Record, texts: Mapping[str, str], tally: RotationTally) -> Iterator[tuple[str, str]]:
        for name in (PEOPLE, FOUND):
            if stored := texts.get(name, ""):
                reencrypted = self._reencrypt(record, name, "", stored, tally)
                if reencrypted != stored:
                    yield name, reencrypted

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
            text = self._cipher.decrypt(record.owner, name, stamp, stored)
        except UnreadableError as exc:
            tally.unreadable[record.name] = str(exc)
            return stored
        return self._cipher.encrypt(record.owner, name, stamp, text)
