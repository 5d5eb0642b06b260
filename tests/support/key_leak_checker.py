"""Finds keys without a TTL that aren't allowed to lack one: `state.keys.WITHOUT_TTL` lists those that are."""

import re
from collections.abc import Iterator
from typing import Any

from state.key_lists import WITHOUT_TTL

OPEN = frozenset({"waiting", "leased", "sending"})


def immortal_keys(client: Any) -> list[str]:  # noqa: ANN401 - real or fake
    """Return the keys without a TTL that aren't listed, or aren't in the state that allows it."""
    return [key for key in _without_ttl(client) if not _may_live(client, key)]


def _without_ttl(client: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    keys = list(client.scan_iter("*", count=1000))
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.pttl(key)
    for key, left in zip(keys, pipe.execute(), strict=True):
        if left == -1:
            yield key.decode()


def _may_live(client: Any, key: str) -> bool:  # noqa: ANN401 - as above
    prefix, _, rest = key.partition(":")
    for listed in WITHOUT_TTL:
        name, condition, _ = listed.partition(" (")
        pattern = re.escape(name).replace(re.escape("{NN}"), r"\{\d\d\}").replace(re.escape("*"), ".+")
        if re.fullmatch(pattern, rest):
            return not condition or _is_open(client, prefix, rest)
    return False


def _is_open(client: Any, namespace: str, rest: str) -> bool:  # noqa: ANN401 - as above
    if rest.endswith(":consent"):
        return any(b"r" in answer[15:16] for answer in client.hvals(f"{namespace}:{rest}"))
    tag, kind, member = rest.split(":", 2)
    outreaches = [member.encode()]
    if kind == "session":
        outreaches = [found for found in client.hmget(f"{namespace}:{rest}", "outreach", "sending") if found]
    states = [client.hget(f"{namespace}:{tag}:outreach:{outreach.decode()}", "state") for outreach in outreaches]
    return any(state is not None and state.decode() in OPEN for state in states)
