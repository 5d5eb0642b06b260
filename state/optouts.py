"""The opt-out list as a whole: who is on it, more of them, fewer of them. Only hashes are known, never a number."""

import re
from collections.abc import Iterable, Iterator, Sequence
from time import time

from state.keys import Keys
from state.scripts import Scripts, translated

PERSON = re.compile(r"[0-9a-f]{64}")
"""A person as they are known here: see state.people.person_of."""


class OptOuts:
    """Everybody who does not want to be contacted, kept without a time to live, one key each."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    def add(self, people: Sequence[str]) -> int:
        """Put people on the list, in one round trip; return how many were not on it before."""
        return sum(self._each("HSETNX", people, "operator", int(time() * 1000)))

    def remove(self, people: Sequence[str]) -> int:
        """Take people off the list; return how many were on it."""
        return sum(self._each("DEL", people))

    def has(self, people: Sequence[str]) -> list[bool]:
        """Say of each whether they are on the list."""
        return [bool(found) for found in self._each("EXISTS", people)]

    def __iter__(self) -> Iterator[str]:
        """Everybody on the list, in no order. Looks through all keys: a second list could differ from what counts."""
        with translated():
            for key in self._scripts.client.scan_iter(f"{self._keys.person('*')}opted_out", count=1000):
                yield key.decode().rpartition("{person:")[2].partition("}")[0]

    def _each(self, command: str, people: Iterable[str], *arguments: str | int) -> list[int]:
        with translated():
            pipe = self._scripts.client.pipeline(transaction=False)
            for person in people:
                pipe.execute_command(command, f"{self._keys.person(person)}opted_out", *arguments)
            return [int(reply or 0) for reply in pipe.execute()]
