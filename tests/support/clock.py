"""A server's clock that is put back, as the data sees it: every stored time moves the same amount into the future.

The machine's clock doesn't change. For the server, its scripts and all processes that use its time there is one
difference: keys that expired while a real clock was ahead would be gone.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from state.session_record import OWN_FIELDS, RANK_SPAN, STAMP_WIDTH, stamp_of, stamped

_PLAIN = {
    r"outreach:[^:]+": {"expires_at", "claimed_at", "due", "ended_at", "contacted_at", "first_sending"},
    r"sweep": {"last", "sign", "reopened", "silent", "lost_at"},
    r"\{control\}:sending": {"paused", "until", "since", "mixed", "retry_at", "clock", "put_back"},
    r"clock": {"due"},
    r"\{control\}:progress": {"swept", "dispatched", "untaken", "taken", "undecided"},
    r"\{control\}:backlog": {"since"},
    r"\{control\}:thresholds": {"since", "at"},
    r"\{control\}:foreign": {"at"},
    r"\{control\}:orders": {"last", "at", "since", "released"},
}
_ZSETS = r"(\{\d\d\}:(lane:.+|due|leased|dead|unknown)|\{control\}:(checkouts|gaps)|\{person:.+\}:(sessions|links))"
_FIRST_MS = 10**12
"""Lower numbers aren't times."""


Scores = Mapping[tuple[str, bytes], float]
"""Key of a sorted set and member → its score."""


def scores(client: Any, *, namespace: str = "winback") -> Scores:  # noqa: ANN401 - real or fake
    """Return the scores of all sorted sets of times."""
    keys = [key for key in _keys(client, namespace) if re.fullmatch(_ZSETS, _name(key, namespace))]
    read = client.pipeline(transaction=False)
    for key in keys:
        read.zrange(key, 0, -1, withscores=True)
    return {(key, member): score for key, found in zip(keys, read.execute(), strict=True) for member, score in found}


def put_clock_back(
    client: Any,  # noqa: ANN401 - real or fake
    by_ms: int,
    *,
    namespace: str = "winback",
    since_ms: int = _FIRST_MS,
    before: Scores | None = None,
) -> None:
    """Move stored times from `since_ms` (Unix ms) on into the future: the clock was ahead since then.

    `before`: the scores at that moment. A score that hasn't changed since was stored earlier, and stays.
    """

    def later(ms: int) -> int:
        return ms + by_ms if abs(ms) >= since_ms else ms

    read, write = client.pipeline(transaction=False), client.pipeline(transaction=False)
    moves = []
    for key, kind, left in _kinds(client, _keys(client, namespace)):
        name = _name(key, namespace)
        if kind == b"hash":
            read.hgetall(key)
            moves.append(partial(_hash, write, key, name, later))
        elif kind == b"zset" and re.fullmatch(_ZSETS, name):
            read.zrange(key, 0, -1, withscores=True)
            moves.append(partial(_zset, write, key, later, before or {}))
        elif kind == b"stream" and name.startswith("events"):
            read.xinfo_stream(key)
            moves.append(partial(_stream, write, key, later))
        elif re.fullmatch(r"\{person:.+\}:forgotten", name):
            read.get(key)
            moves.append(partial(_text, write, key, later))
        if left > 0 and since_ms == _FIRST_MS:
            write.pexpire(key, left + by_ms)
    for move, stored in zip(moves, read.execute(), strict=True):
        move(stored)
    write.execute()


def _keys(client: Any, namespace: str) -> list[str]:  # noqa: ANN401 - as above
    return [key.decode() for key in client.scan_iter(f"{namespace}:*", count=1000)]


def _kinds(client: Any, keys: Sequence[str]) -> Iterator[tuple[str, bytes, int]]:  # noqa: ANN401 - as above
    """Yield each key with its type and TTL (ms; negative: indefinitely)."""
    read = client.pipeline(transaction=False)
    for key in keys:
        read.type(key).pttl(key)
    found = read.execute()
    yield from zip(keys, found[::2], found[1::2], strict=True)


def _name(key: str, namespace: str) -> str:
    return key.removeprefix(f"{namespace}:")


def _text(write: Any, key: str, later: Callable[[int], int], stored: bytes) -> None:  # noqa: ANN401 - as above
    write.set(key, later(int(stored)), keepttl=True)


def _stream(write: Any, key: str, later: Callable[[int], int], about: Mapping[str, bytes]) -> None:  # noqa: ANN401 - as above
    last_ms = int(about["last-generated-id"].decode().partition("-")[0])
    if later(last_ms) != last_ms:
        write.execute_command("XSETID", key, f"{later(last_ms)}-0")


def _hash(
    write: Any,  # noqa: ANN401 - as above
    key: str,
    name: str,
    later: Callable[[int], int],
    stored: Mapping[bytes, bytes],
) -> None:
    found = {field.decode(): value.decode() for field, value in stored.items()}
    write.hset(key, mapping={field: _moved(name, field, value, later) for field, value in found.items()})


def _moved(name: str, field: str, value: str, later: Callable[[int], int]) -> str:
    """Return a field's value as a clock that was ahead would have written it."""
    if re.match(r"\{\d\d\}:session:", name):
        return _of_session(field, value, later)
    if name == "alarms" or name.endswith(":reserved"):
        # A claim stays as it is in the outreach and in the worker that made it.
        return re.sub(r"\d+(?!\d*:)", lambda number: str(later(int(number[0]))), value)
    if name == "{control}:sending" and field == "next_us":
        return str(later(int(value) // 1000) * 1000)
    if field == "last" and re.match(r"\{\d\d\}:outreach:", name):
        return str(_sequence(int(value), later))
    if name.startswith("heartbeat:about.") or name == "{control}:workers":
        at, _, rest = value.partition(" ")
        return f"{later(int(at))} {rest}"
    plain = next((fields for known, fields in _PLAIN.items() if re.fullmatch(rf"(\{{\d\d\}}:)?{known}", name)), set())
    return str(later(int(value))) if field in plain or name.startswith("heartbeat:") else value


def _of_session(field: str, value: str, later: Callable[[int], int]) -> str:
    if field in {"activity", "signal", "purchase", "purchase_before", "superseded", "forgotten"}:
        number = value.rstrip("+")
        return str(_sequence(int(number), later)) + value[len(number) :]
    if field in {"silent", "seen"} or field.startswith(("first.", "last.")):
        return str(later(int(value)))
    if field in OWN_FIELDS or len(value) < STAMP_WIDTH:
        return value
    return stamped(_sequence(stamp_of(value), later), value[STAMP_WIDTH:])


def _sequence(number: int, later: Callable[[int], int]) -> int:
    return later(number // RANK_SPAN) * RANK_SPAN + number % RANK_SPAN


def _zset(
    write: Any,  # noqa: ANN401 - as above
    key: str,
    later: Callable[[int], int],
    before: Scores,
    members: Sequence[tuple[bytes, float]],
) -> None:
    changed = {
        member: later(int(score)) if score >= 0 else -later(int(-score))
        for member, score in members
        if before.get((key, member)) != score
    }
    if changed:
        write.zadd(key, changed)
