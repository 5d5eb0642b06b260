"""A server's clock that is put back, seen from the data: every time that is stored lies as much further in the future.

The clock of the machine stays as it is. To the server, its scripts and all processes that go by its time there is no
difference, except one: keys that expired while a clock was ahead are gone, and here they are not.
"""

import re
from collections.abc import Callable
from typing import Any

from state.session_record import OWN_FIELDS, RANK_SPAN, STAMP_WIDTH, stamp_of, stamped

_PLAIN = {
    r"outreach:[^:]+": {"expires_at", "claimed_at", "due", "ended_at", "contacted_at", "first_sending"},
    r"sweep": {"last", "sign", "reopened", "silent", "lost_at"},
    r"\{control\}:sending": {"paused", "until", "since", "mixed", "retry_at", "clock", "put_back"},
    r"\{control\}:progress": {"swept", "dispatched", "untaken", "taken", "undecided"},
    r"\{control\}:backlog": {"since"},
    r"\{control\}:foreign": {"at"},
    r"\{control\}:orders": {"last", "at", "since", "released"},
}
_ZSETS = r"(\{\d\d\}:(lane:.+|due|leased|dead|unknown)|\{control\}:(checkouts|gaps)|\{person:.+\}:(sessions|links))"
_FIRST_MS = 10**12
"""Lower numbers are no times."""


def put_clock_back(
    client: Any,  # noqa: ANN401 - real or fake
    by_ms: int,
    *,
    namespace: str = "winback",
    since_ms: int = _FIRST_MS,
) -> None:
    """Move stored times into the future, those from `since_ms` (Unix ms) on: the clock was ahead since then."""

    def later(ms: int) -> int:
        return ms + by_ms if abs(ms) >= since_ms else ms

    for key in list(client.scan_iter(f"{namespace}:*", count=1000)):
        name = key.decode().removeprefix(f"{namespace}:")
        kind, left = client.type(key), client.pttl(key)
        if kind == b"hash":
            _hash(client, key, name, later)
        elif kind == b"zset" and re.fullmatch(_ZSETS, name):
            _zset(client, key, later)
        elif kind == b"stream" and name.startswith("events"):
            last = client.xinfo_stream(key)["last-generated-id"].decode()
            if int(last.partition("-")[0]) >= since_ms:
                client.execute_command("XSETID", key, f"{int(last.partition('-')[0]) + by_ms}-0")
        elif re.fullmatch(r"\{person:.+\}:forgotten|\{\d\d\}:clock", name):
            client.set(key, later(int(client.get(key))), keepttl=True)
        if left > 0 and since_ms == _FIRST_MS:
            client.pexpire(key, left + by_ms)


def _hash(client: Any, key: bytes, name: str, later: Callable[[int], int]) -> None:  # noqa: ANN401 - as above
    found = {field.decode(): value.decode() for field, value in client.hgetall(key).items()}
    changed = {field: _moved(name, field, value, later) for field, value in found.items()}
    client.hset(key, mapping=changed)


def _moved(name: str, field: str, value: str, later: Callable[[int], int]) -> str:
    """Return a field's value as it would be had it been written by a clock that was ahead."""
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
    if field in {"activity", "signal", "purchase", "purchase_before", "moved", "forgotten"}:
        number = value.rstrip("+")
        return str(_sequence(int(number), later)) + value[len(number) :]
    if field in {"silent", "seen"} or field.startswith(("first.", "last.")):
        return str(later(int(value)))
    if field in OWN_FIELDS or len(value) < STAMP_WIDTH:
        return value
    return stamped(_sequence(stamp_of(value), later), value[STAMP_WIDTH:])


def _sequence(number: int, later: Callable[[int], int]) -> int:
    return later(number // RANK_SPAN) * RANK_SPAN + number % RANK_SPAN


def _zset(client: Any, key: bytes, later: Callable[[int], int]) -> None:  # noqa: ANN401 - as above
    members = client.zrange(key, 0, -1, withscores=True)
    if members:
        client.zadd(key, {m: later(int(score)) if score >= 0 else -later(int(-score)) for m, score in members})
