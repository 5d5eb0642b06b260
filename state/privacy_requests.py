"""Privacy requests: that a shop's tools ask to erase the data of a person or a shop, or to hand out a copy.

Each is kept until it is done. Erasures of people run by themselves. The other ones are the operator's.
"""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple, cast

from state.calls import privacy as lua
from state.cipher import Cipher, Unencrypted
from state.errors import UnreadableError
from state.hash_fields import texts
from state.keys import DAY_MS, Keys
from state.privacy_keys import DONE_TTL_MS, privacy_prefix
from state.scripts import Scripts
from state.server_errors import driver_errors

Kind = Literal["erasure", "shop erasure", "data request"]
KINDS: Mapping[Kind, str] = {"erasure": "erasures", "shop erasure": "shops", "data request": "data"}
"""Each kind with the set that it is in while it is open."""
MOST_OPEN = 10_000
"""Of all kinds together. While there are that many, a collector takes no more."""
PEOPLE, FOUND = "people", "found"
"""The personal fields of a stored request."""
FIRST_RUN_MS = 5_000
"""After this time all events that the same collector accepted before the request are in a stream."""
LONGEST_WAIT_MS = DAY_MS
_AT_ONCE = 500
_ID_BYTES = 9
_REQUEST_ID = re.compile("[0-9A-Za-z]{12}")


class Filing(NamedTuple):
    """A privacy request as it is accepted. Its texts are personal, except for kind, source and shop."""

    kind: Kind
    source: str
    shop: str
    received_ms: int
    dedupe_key: str
    """The same for repeats of a request."""
    people: Sequence[Mapping[str, str]]
    """Each with `phone_number`, `email` or both, and maybe `country_code`."""
    visitors: Sequence[str]
    """Names of visitors' records; see `state.visitor_records`."""


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """An open privacy request."""

    id: str
    kind: Kind
    source: str
    shop: str
    received_ms: int
    people: Sequence[Mapping[str, str]] = ()
    visitors: Sequence[str] = ()
    found: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What an earlier run noted of the person, before it removed anything."""
    erased_ms: int = 0
    """When it was last carried out, if it is kept for events that a collector may hold; otherwise 0."""
    failures: int = 0
    problem: str = ""
    """Why it failed the last time."""
    unreadable: str = ""
    """Why `people` or `found` can't be read; empty if they can."""


class PrivacyRequests:
    """All privacy requests. `secret`: the identity secret, for processes that file them."""

    def __init__(self, scripts: Scripts, keys: Keys, cipher: Cipher | None = None, secret: bytes = b"") -> None:
        self._scripts = scripts
        self._prefix = privacy_prefix(keys)
        self._cipher = cipher or Unencrypted()
        self._secret = secret

    def file(self, filings: Sequence[Filing]) -> list[str]:
        """Keep requests. Return the id of each; empty for a repeat.

        Raises:
            StateError: Some may not be kept; file them again.
        """
        ids = [self._id(filing) for filing in filings]
        calls = [
            lua.file_request(
                self._prefix,
                request,
                KINDS[filing.kind],
                filing.received_ms,
                FIRST_RUN_MS if filing.kind == "erasure" else "",
                self._fields(request, filing),
            )
            for request, filing in zip(ids, filings, strict=True)
        ]
        are_new = self._scripts.run_many(calls)
        return [request if is_new else "" for request, is_new in zip(ids, are_new, strict=True)]

    def lease(self, most: int, lease_ms: int) -> list[str]:
        """Lease the erasures that are due and return their ids. Another process gets them again after the lease."""
        return self._scripts.run(lua.lease_requests(self._prefix, most, lease_ms, LONGEST_WAIT_MS))

    def finish(self, request: str) -> bool:
        """Remove a request that is done; return whether it was open."""
        return self._scripts.run(lua.finish_request(self._prefix, request, DONE_TTL_MS))

    def note(self, request: str, found: Mapping[str, Sequence[str]]) -> bool:
        """Note what an erasure found of the person, for another run of it; return whether it was open."""
        notes = self._cipher.encrypt(owner_of(request), FOUND, "", json.dumps(found))
        return self._scripts.run(lua.note_request(self._prefix, request, notes))

    def postpone(self, request: str, wait_ms: int, problem: str = "") -> bool:
        """Run an erasure again later, for at most `LONGEST_WAIT_MS`; return whether it was open.

        Without a problem, it was carried out.
        """
        return self._scripts.run(lua.postpone_request(self._prefix, request, wait_ms, problem))

    def read(self, request: str) -> PrivacyRequest | None:
        """Return an open request; None if there is none with this id."""
        return next(self._read([request]), None)

    def open(self, *kinds: Kind) -> Iterator[PrivacyRequest]:
        """Yield the open requests of these kinds, all kinds without any, the oldest of each kind first."""
        for kind in kinds or tuple(KINDS):
            ids = self.ids(kind)
            for start in range(0, len(ids), _AT_ONCE):
                yield from self._read(ids[start : start + _AT_ONCE])

    def _read(self, ids: Sequence[str]) -> Iterator[PrivacyRequest]:
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for request in ids:
                pipe.hgetall(self.key(request))
            found: list[Mapping[bytes, bytes]] = pipe.execute()
        return (self._parsed(request, texts(stored)) for request, stored in zip(ids, found, strict=True) if stored)

    def ids(self, kind: Kind) -> list[str]:
        """Return the ids of the open requests of a kind, the oldest first."""
        with driver_errors():
            found = self._scripts.client.zrange(f"{self._prefix}open:{KINDS[kind]}", 0, -1)
        return [member.decode() for member in found]

    def count(self) -> int:
        """Return how many requests are open."""
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for name in KINDS.values():
                pipe.zcard(f"{self._prefix}open:{name}")
            return sum(pipe.execute())

    def key(self, request: str) -> str:
        """Return the key of a request."""
        return f"{self._prefix}request:{request}"

    def id_in(self, key: str) -> str:
        """Return the id of the request with this key; empty for any other key."""
        prefix = self.key("")
        return key[len(prefix) :] if key.startswith(prefix) else ""

    def text(self, request: str, stored: Mapping[str, str]) -> str:
        """Return what a stored request says of people; empty if it can't be read."""
        parsed = self._parsed(request, stored)
        return str([*parsed.people, *parsed.found.values()])

    def _id(self, filing: Filing) -> str:
        words = (filing.kind, filing.source, filing.shop, filing.dedupe_key or _content(filing))
        digest = hmac.digest(self._secret, "\0".join(("privacy", *words)).encode(), sha256)
        return urlsafe_b64encode(digest[:_ID_BYTES]).decode().replace("-", "A").replace("_", "B")

    def _fields(self, request: str, filing: Filing) -> Iterable[str]:
        people = json.dumps([dict(one) for one in filing.people], ensure_ascii=False) if filing.people else ""
        fields = {
            "kind": filing.kind,
            "source": filing.source,
            "shop": filing.shop,
            "visitors": " ".join(filing.visitors),
            PEOPLE: self._cipher.encrypt(owner_of(request), PEOPLE, "", people),
        }
        return [word for name, value in fields.items() if value for word in (name, value)]

    def _parsed(self, request: str, stored: Mapping[str, str]) -> PrivacyRequest:
        unreadable, texts_of = "", dict.fromkeys((PEOPLE, FOUND), "")
        for name in texts_of:
            try:
                texts_of[name] = self._cipher.decrypt(owner_of(request), name, "", stored.get(name, ""))
            except UnreadableError as problem:
                unreadable = str(problem)
        people, found = texts_of.values()
        return PrivacyRequest(
            id=request,
            kind=cast("Kind", stored.get("kind", "erasure")),
            source=stored.get("source", ""),
            shop=stored.get("shop", ""),
            received_ms=int(stored.get("received", 0)),
            people=tuple(json.loads(people)) if people else (),
            visitors=tuple(stored.get("visitors", "").split()),
            found=json.loads(found) if found else {},
            erased_ms=int(stored.get("erased", 0)),
            failures=int(stored.get("failures", 0)),
            problem=stored.get("problem", ""),
            unreadable=unreadable,
        )


def is_request_id(text: object) -> bool:
    """Return whether a value has the form of an id of a privacy request."""
    return isinstance(text, str) and _REQUEST_ID.fullmatch(text) is not None


def owner_of(request: str) -> str:
    """Return the owner under which the people of a request are encrypted."""
    return f"request:{request}"


def _content(filing: Filing) -> str:
    """Return what tells a request apart whose source has no id for it. Its delivery again counts as another one."""
    return json.dumps([filing.received_ms, [sorted(one.items()) for one in filing.people], list(filing.visitors)])
