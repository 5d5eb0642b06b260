"""The block list: whether a shopper is a robot, or the shop's own staff or test.

`Blocklist` is compiled once from Winback's own list (`blocklist.toml`) and the settings; a check takes a few
microseconds. Pure, apart from reading the list once.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple, TypedDict, cast

from detectors.json_values import JsonObject
from tasks.policy import block_patterns
from tasks.policy.block_settings import BlockSettings, read_exception

Kind = Literal["bot", "internal"]
_KINDS: tuple[Kind, ...] = ("bot", "internal")


class Hit(NamedTuple):
    """The kind of a shopper, and the matching entry; `why` holds nothing of the shopper."""

    kind: Kind
    why: str


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """One entry of a list, as it was written."""

    kind: Kind
    why: str
    domains: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    name_only: bool = False
    """Whether a name is enough; otherwise it counts together with another sign of the entry."""


@dataclass(frozen=True, slots=True)
class _Mail:
    """The e-mail addresses of entries."""

    domains: Mapping[str, Hit]
    labels: Sequence[tuple[re.Pattern[str], Hit]]
    addresses: Sequence[tuple[re.Pattern[str], Hit]]

    def hit(self, address: str) -> Hit | None:
        local, _, host = address.rpartition("@")
        labels = host.split(".")
        for index in range(len(labels)):
            if found := self.domains.get(".".join(labels[index:])):
                return found
        for pattern, found in self.labels:
            if any(map(pattern.fullmatch, labels)):
                return found
        # The part after a plus is the shopper's choice: qa+7@shop.com is qa@shop.com.
        mailbox = f"{local.partition('+')[0]}@{host}"
        for pattern, found in self.addresses:
            if pattern.fullmatch(address) or pattern.fullmatch(mailbox):
                return found
        return None


@dataclass(frozen=True, slots=True)
class _Lines:
    """The numbers of entries: one expression for all, and then one for each."""

    any: re.Pattern[str]
    each: Sequence[tuple[re.Pattern[str], Hit]]

    def hit(self, e164: str) -> Hit | None:
        from detectors.normalize.identities import of_number

        digits = e164.lstrip("+")
        # `e164` is a number that was read, so that its line follows without reading it again.
        for text in dict.fromkeys((digits, of_number(e164)[1:])):
            if self.any.fullmatch(text):
                return next(hit for pattern, hit in self.each if pattern.fullmatch(text))
        return None


@dataclass(frozen=True, slots=True)
class _Signs:
    """All signs by which a shopper can be on a list."""

    mail: _Mail
    lines: _Lines
    names: Mapping[str, Hit]


@dataclass(frozen=True, slots=True)
class Blocklist:
    """A compiled block list. `hit` is thread-safe."""

    _signs: _Signs
    _allowed: _Signs
    _together: Mapping[str, _Signs] = field(default_factory=dict)
    """By name, further signs that must match for a shopper with this name."""

    def hit(self, *, name: str = "", email: str = "", e164: str = "") -> Hit | None:
        """Return the entry for a shopper, from the name and e-mail address as typed, and the number.

        `e164`: as `detectors.normalize.phones.phone` returns it, or empty. An exception only cancels the same sign: an
        allowed number doesn't allow an address. Robots come before staff.
        """
        found = list(self._hits(name, email, e164))
        return min(found, key=lambda hit: _KINDS.index(hit.kind)) if found else None

    def _hits(self, name: str, email: str, e164: str) -> Iterator[Hit]:
        called = block_patterns.name(name) if name else ""
        address = block_patterns.address(email) if email else ""
        if address and self._allowed.mail.hit(address):
            address = ""
        if e164 and self._allowed.lines.hit(e164):
            e164 = ""
        signs = [self._signs, *([self._together[called]] if called in self._together else [])]
        for sign in signs:
            if address and (hit := sign.mail.hit(address)):
                yield hit
            if e164 and (hit := sign.lines.hit(e164)):
                yield hit
        if called in self._signs.names and called not in self._allowed.names:
            yield self._signs.names[called]


def compiled(settings: BlockSettings, *, rehearsal: bool = False) -> Blocklist:
    """Compile the list of some settings.

    `rehearsal`: requests can only reach this machine, so that no person can be called. The shipped ranges of fictitious
    numbers don't apply then, because rehearsals use them.
    """
    shipped_entries = shipped(rehearsal=rehearsal) if settings.default == "on" else ()
    entries = [*_own(settings), *shipped_entries]
    by_themselves = [entry for entry in entries if entry.name_only or not entry.names]
    pairs = [entry for entry in entries if entry not in by_themselves]
    names = {block_patterns.name_entry(name) for entry in pairs for name in entry.names}
    together = {
        name: _signs(entry for entry in pairs if name in map(block_patterns.name_entry, entry.names)) for name in names
    }
    return Blocklist(_signs(by_themselves), _signs([_exceptions(settings)]), together)


@cache
def shipped(*, rehearsal: bool = False) -> tuple[BlockEntry, ...]:
    """Return the shipped entries, in a rehearsal without the fictitious numbers."""
    text = (files("tasks.policy") / "blocklist.toml").read_text(encoding="utf-8")
    found: list[JsonObject] = tomllib.loads(text)["entry"]
    return tuple(
        BlockEntry(entry["kind"], entry["why"], **_lists(entry))
        for entry in found
        if not (rehearsal and entry.get("fictitious"))
    )


class _Lists(TypedDict, total=False):
    domains: tuple[str, ...]
    labels: tuple[str, ...]
    addresses: tuple[str, ...]
    names: tuple[str, ...]
    numbers: tuple[str, ...]


def _lists(parts: Mapping[str, Sequence[str]]) -> _Lists:
    found = {name: tuple(parts[name]) for name in _Lists.__annotations__ if name in parts}
    return cast("_Lists", found)


def _own(settings: BlockSettings) -> Iterator[BlockEntry]:
    """Yield the entries of the settings, each list as its own entry, so that `why` names the setting."""
    for kind in _KINDS:
        for part in ("domains", "addresses", "names", "numbers"):
            values: tuple[str, ...] = getattr(settings, f"{kind}_{part}")
            if values:
                yield BlockEntry(kind, f"contact.block.{kind}_{part}", name_only=True, **_lists({part: values}))


def _exceptions(settings: BlockSettings) -> BlockEntry:
    parts: dict[str, list[str]] = {"domains": [], "addresses": [], "names": [], "numbers": []}
    for text in settings.allow:
        parts["addresses" if (kind := read_exception(text).kind) == "address" else f"{kind}s"].append(text)
    return BlockEntry("internal", "contact.block.allow", **_lists(parts))


def _signs(entries: Iterable[BlockEntry]) -> _Signs:
    found = list(entries)

    def each(part: str, read: Callable[[str], str]) -> list[tuple[re.Pattern[str], Hit]]:
        return [
            (re.compile(read(text)), Hit(entry.kind, entry.why)) for entry in found for text in getattr(entry, part)
        ]

    def exact(part: str, read: Callable[[str], str]) -> dict[str, Hit]:
        pairs = [(read(text), Hit(entry.kind, entry.why)) for entry in found for text in getattr(entry, part)]
        return dict(reversed(pairs))  # the first entry counts

    numbers = each("numbers", block_patterns.number_entry)
    every = "|".join(f"(?:{pattern.pattern})" for pattern, _ in numbers) or r"(?!)"
    mail = _Mail(
        exact("domains", block_patterns.domain_entry),
        each("labels", block_patterns.label_entry),
        each("addresses", block_patterns.address_entry),
    )
    return _Signs(mail, _Lines(re.compile(every), numbers), exact("names", block_patterns.name_entry))
