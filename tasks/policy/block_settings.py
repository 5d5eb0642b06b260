"""The settings of the block list: robots, staff and tests."""

import json
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from tasks.policy import block_patterns

Read = Callable[[str], str]


def _list_of(read: Read, example: str) -> BeforeValidator:
    """Return a reader for a list, or for `first,second` in text form; `read` must accept each entry.

    An invalid entry is named by its position, because it can be personal.
    """

    def check(value: object) -> object:
        if isinstance(value, str):
            value = _split(value, example)
        if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
            raise ValueError(f"is not a list of texts: write {example}")
        for place, entry in enumerate(value, 1):
            try:
                read(entry)
            except ValueError as problem:
                raise ValueError(f"entry {place} of the list {problem}") from None
        return [entry.strip() for entry in value]

    return BeforeValidator(check)


def _split(text: str, example: str) -> object:
    if not text.strip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(f"is not a list: write {example}") from None


class BlockException(NamedTuple):
    """An entry that is never blocked."""

    kind: Literal["number", "address", "domain", "name"]
    entry: str


def read_exception(text: str) -> BlockException:
    """Return the parsed exception.

    Raises:
        ValueError: It is none of them.
    """
    bare = text.strip()
    if bare.startswith("+"):
        return BlockException("number", block_patterns.number_entry(bare))
    if bare.rpartition("@")[0]:
        return BlockException("address", block_patterns.address_entry(bare))
    if "." in bare.strip(".") and " " not in bare:
        return BlockException("domain", block_patterns.domain_entry(bare))
    return BlockException("name", block_patterns.name_entry(bare))


# `winback config show` doesn't show entries that name people.
_COUNTED = PlainSerializer(lambda entries: f"{len(entries)} entries" if entries else "")

Domains = Annotated[tuple[str, ...], _list_of(block_patterns.domain_entry, "shop.com,agency.com")]
Addresses = Annotated[tuple[str, ...], _list_of(block_patterns.address_entry, "qa@shop.com,qa+*@shop.com"), _COUNTED]
Names = Annotated[tuple[str, ...], _list_of(block_patterns.name_entry, "Test Buyer,Jane Doe"), _COUNTED]
Numbers = Annotated[tuple[str, ...], _list_of(block_patterns.number_entry, "+573001234567,+5730012345*"), _COUNTED]
Exceptions = Annotated[
    tuple[str, ...], _list_of(lambda text: read_exception(text).entry, "shop.com,ceo@shop.com,+573001234567"), _COUNTED
]


class BlockSettings(BaseModel):
    """The `[contact.block]` section: robots, and the shop's own staff and tests.

    Attributes:
        default: Whether Winback's own list is used.
        bot_domains: E-mail domains of robots, each with its subdomains.
        bot_addresses: E-mail addresses of robots; * and ? are wildcards.
        bot_names: Whole names of robots.
        bot_numbers: Numbers of robots: one, a prefix, with ? for any digit, or a range.
        internal_domains: The same for staff and tests, as are the next three.
        internal_addresses: E-mail addresses of staff and tests.
        internal_names: Whole names of staff and tests.
        internal_numbers: Numbers of staff and tests.
        allow: Domains, addresses, names and numbers that are exempt from these lists.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: Literal["on", "off"] = "on"
    bot_domains: Domains = ()
    bot_addresses: Addresses = ()
    bot_names: Names = ()
    bot_numbers: Numbers = ()
    internal_domains: Domains = ()
    internal_addresses: Addresses = ()
    internal_names: Names = ()
    internal_numbers: Numbers = ()
    allow: Exceptions = ()
