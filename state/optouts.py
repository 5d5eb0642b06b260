"""The opt-out list: the people who must not be contacted, with the sources. It only holds hashes of people."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, cast

from redis.exceptions import ResponseError

from state.calls import people as lua
from state.driver import Command
from state.keys import Keys
from state.scripts import Scripts, unwrap
from state.server_errors import driver_errors

PERSON = re.compile(r"[0-9a-f]{64}")
"""A person's HMAC: see state.people.person_of."""
SHOP, OPERATOR = "shop", "operator"
"""Sources that aren't registers: the shop's `opt_out` events, and the `winback optout` command."""
LINKED = "linked"
"""Source of an entry that was passed on from an identity seen together with this one."""
DIRECT = frozenset({SHOP, OPERATOR})
"""Sources that know the person, and so count for all of their identities. A register lists numbers, not people."""
OF_THE_PERSON = DIRECT | {LINKED}
MOST_LINKED = 10
"""An identity seen together with more others than this, such as `guest@shop.com`, is shared: it doesn't identify a
person, and nothing is passed on from it."""
CHUNK = 1000
"""People per round trip."""


class OptOutEntry(NamedTuple):
    """A person on the list, with source and time."""

    person: str
    source: str
    at_ms: int
    """When it was recorded (Unix ms)."""


Entries = Mapping[str, int]
"""Source → when it was recorded (Unix ms), for one person. Empty if the person isn't on the list."""


class Listed(NamedTuple):
    """A person on the list."""

    person: str
    entries: Entries


@dataclass(frozen=True, slots=True)
class Register:
    """The last import of a register."""

    at_ms: int
    count: int
    """Entries in the file."""


class OptOuts:
    """All people who must not be contacted: one hash per person, without a TTL.

    A person is listed if the hash exists.
    """

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def now_ms(self) -> int:
        """Return the server's clock (Unix ms)."""
        with driver_errors():
            seconds, micros = self._scripts.client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def add(self, people: Sequence[str], source: str = OPERATOR, at_ms: int | None = None) -> list[bool]:
        """Add people under a source; return which of them weren't listed under any source.

        An entry of the same source keeps its time. `at_ms` is the server's clock unless given.
        """
        at_ms = self.now_ms() if at_ms is None else at_ms
        return self.add_each([OptOutEntry(person, source, at_ms) for person in people])

    def add_each(self, entries: Sequence[OptOutEntry], *, renew: bool = False) -> list[bool]:
        """Add entries of any sources, as `add` does. `renew`: entries of the same source get the new time."""
        new = self._add(entries, renew=renew)
        direct = [entry for entry in entries if entry.source in DIRECT]
        linked = self.linked([entry.person for entry in direct])
        passed_on = [
            OptOutEntry(other, LINKED, one.at_ms)
            for one, others in zip(direct, linked, strict=True)
            for other in others
        ]
        self._add(passed_on, renew=False)
        return new

    def _add(self, entries: Sequence[OptOutEntry], *, renew: bool) -> list[bool]:
        commands: list[Command] = []
        for person, source, at_ms in entries:
            key = self._key(person)
            commands += [("EXISTS", key), ("HSET" if renew else "HSETNX", key, source, at_ms)]
        known = cast("list[int]", self._pipelined(commands)[::2])
        return [not found for found in known]

    def remove(self, people: Sequence[str], sources: Collection[str] = OF_THE_PERSON) -> list[int]:
        """Remove the entries of these sources; return how many each person had.

        Entries of the person are also removed from linked identities.
        """
        if others := [other for others in self.linked(people) for other in others]:
            self._remove(others, OF_THE_PERSON & set(sources))
        return self._remove(people, sources)

    def _remove(self, people: Sequence[str], sources: Collection[str]) -> list[int]:
        if not sources:
            return [0] * len(people)
        return cast("list[int]", self._pipelined([("HDEL", self._key(person), *sources) for person in people]))

    def entries(self, people: Sequence[str]) -> list[Entries]:
        """Return the entries of each person."""
        commands: list[Command] = [("HGETALL", self._key(person)) for person in people]
        replies = cast("list[Mapping[bytes, bytes] | Exception]", self._pipelined(commands, raise_on_error=False))
        return [_entries(reply) for reply in replies]

    def __iter__(self) -> Iterator[str]:
        """Yield all listed people, unordered. Scans all keys, because a separate index could differ from them."""
        for key in self._list():
            yield key.rpartition("{person:")[2].partition("}")[0]

    def everyone(self) -> Iterator[Listed]:
        """Yield all listed people with their entries, unordered, reading 1,000 at a time."""
        for people in _chunks(self):
            yield from map(Listed, people, self.entries(people))

    def remove_older(self, source: str, before_ms: int) -> Iterator[int]:
        """Remove all entries of a source that are older than a moment (Unix ms); yield how many, chunk by chunk."""
        for people in _chunks(self):
            calls = [lua.remove_older_optout(self._keys.person(person), source, before_ms) for person in people]
            yield sum(self._scripts.run_many(calls))

    def registers(self) -> dict[str, Register]:
        """Return each register's last import, by source."""
        with driver_errors():
            found = self._scripts.client.hgetall(self._keys.registers)
        return {source.decode(): _register(text.decode()) for source, text in sorted(found.items())}

    def record(self, source: str, register: Register) -> None:
        """Record the import of a register. A register without entries is removed."""
        with driver_errors():
            if register.count:
                text = f"{register.at_ms} {register.count}"
                self._scripts.client.hset(self._keys.registers, source, text)
            else:
                self._scripts.client.hdel(self._keys.registers, source)

    def linked(self, people: Sequence[str]) -> list[list[str]]:
        """Return the identities seen together with each of these; none for a shared one."""
        replies = cast(
            "list[list[bytes]]", self._pipelined([("ZRANGE", self._keys.links(person), 0, -1) for person in people])
        )
        return [[member.decode() for member in reply] if len(reply) <= MOST_LINKED else [] for reply in replies]

    def _list(self) -> Iterator[str]:
        with driver_errors():
            for key in self._scripts.client.scan_iter(f"{self._keys.person('*')}opted_out", count=CHUNK):
                yield key.decode()

    def _key(self, person: str) -> str:
        return f"{self._keys.person(person)}opted_out"

    def _pipelined(self, commands: Sequence[Command], *, raise_on_error: bool = True) -> list[object]:
        if not commands:
            return []
        with driver_errors():
            pipe = self._scripts.client.pipeline(transaction=False)
            for command in commands:
                pipe.execute_command(*command)
            found: list[object] = pipe.execute(raise_on_error)
        return found


def _entries(reply: Mapping[bytes, bytes] | Exception) -> Entries:
    if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
        return {OPERATOR: 0}  # the format before 0.1: neither source nor time are known
    with driver_errors():
        found = unwrap(reply)
    return {source.decode(): int(at_ms) for source, at_ms in sorted(found.items())}


def _register(text: str) -> Register:
    at_ms, _, count = text.partition(" ")
    return Register(int(at_ms), int(count))


def _chunks(people: Iterable[str]) -> Iterator[list[str]]:
    left = iter(people)
    while chunk := list(islice(left, CHUNK)):
        yield chunk
