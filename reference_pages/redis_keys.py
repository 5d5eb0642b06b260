"""The page of the Redis keys, from the docstrings of `state.keys`."""

import inspect
import re
from collections.abc import Iterator

from state.keys import Keys, applied_of, recording_of
from state.privacy_keys import privacy_prefix

_OUTREACH = "07-0123456789abcdef"
_EXAMPLES = {
    "number": 7,
    "day": "DAY",
    "rank": "RANK",
    "role": "ROLE",
    "person": "PERSON",
    "lane": "STAGE.PLATFORM.KIND",
    "session_id": "SESSION",
    "outreach_id": _OUTREACH,
}
"""Parameter of a method → a value that is easy to recognise in a key's name."""
_NOT_KEYS = {"control", "partition", "person", "source"}
"""Prefixes, which are described in the text of the page."""


def redis_keys() -> str:
    """Return the table of all keys."""
    return "\n".join(["| key | contents |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in _keys())])


def person_keys() -> str:
    """Return the keys of a person, which share a prefix."""
    return _listed(Keys.person)


def source_keys() -> str:
    """Return the keys of a source without session ids, which share a prefix."""
    return _listed(Keys.source)


def privacy_keys() -> str:
    """Return the keys of privacy requests, which share a prefix."""
    return _listed(privacy_prefix)


def _listed(prefix: object) -> str:
    text = inspect.getdoc(prefix) or ""
    return re.sub(r"(?m)^(- .*)\n  ", r"\1 ", text[text.index("- `") :])


def _keys() -> Iterator[tuple[str, str]]:
    keys = Keys()
    members = {name: member for each in reversed(Keys.__mro__) for name, member in vars(each).items()}
    for name, member in members.items():
        method = member.fget if isinstance(member, property) else member
        if name.startswith("_") or name in _NOT_KEYS or not inspect.isfunction(method):
            continue
        values = [_EXAMPLES[each] for each in list(inspect.signature(method).parameters)[1:]]
        yield _pattern(method(keys, *values)), _text(inspect.getdoc(method))
    yield _pattern(applied_of(keys.events)), _text(inspect.getdoc(applied_of))
    yield _pattern(recording_of(keys.events)), _text(inspect.getdoc(recording_of))


def _pattern(key: str) -> str:
    return re.sub(r"\{\d\d\}", "{NN}", key).replace(_OUTREACH, "OUTREACH").replace(":events:7", ":events:N")


def _text(doc: str | None) -> str:
    return " ".join((doc or "").split()).replace("|", "\\|")
