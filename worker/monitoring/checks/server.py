"""Findings about the state server: memory, eviction, persistence and writes. Pure."""

from collections.abc import Iterator

from state.overview import Overview
from state.server_info import NO_EVICTION
from worker.monitoring.finding import Finding, megabytes

REPLICA = "the server is a replica and accepts no writes: no event is applied and no contact is made"
FULL, VERY_FULL = 0.80, 0.95
"""Parts of the server's memory. At 100 % it rejects events, claims and fences."""


def findings(overview: Overview) -> Iterator[Finding]:
    """Report the state of the server."""
    yield _memory(overview)
    yield _eviction(overview)
    yield _persistence(overview)
    yield from _writes(overview)


def _memory(overview: Overview) -> Finding:
    server = overview.server
    if not server.max_bytes:
        return Finding("memory", "ok", f"{megabytes(server.used_bytes)} in use, without a limit (maxmemory 0)")
    used = f"{server.used_share:.0%} in use, {megabytes(server.used_bytes)} of {megabytes(server.max_bytes)}"
    if server.used_share < FULL:
        return Finding("memory", "ok", used)
    text = f"{used}: when memory runs out, events are rejected and no shopper is contacted"
    return Finding("memory", "fail" if server.used_share >= VERY_FULL else "warn", text, "raise the server's maxmemory")


def _eviction(overview: Overview) -> Finding:
    policy = overview.server.eviction
    if policy is None:
        text = "maxmemory-policy could not be read, so the eviction policy is unknown"
        return Finding("eviction", "note", text, f"make sure that it is {NO_EVICTION}")
    if policy == NO_EVICTION:
        return Finding("eviction", "ok", f"maxmemory-policy is {NO_EVICTION}: no data is evicted")
    text = f"maxmemory-policy is {policy}: a server out of memory evicts people, who might then be contacted twice"
    return Finding(
        "eviction", "fail", text, f"CONFIG SET maxmemory-policy {NO_EVICTION}, and in its configuration file"
    )


def _persistence(overview: Overview) -> Finding:
    server = overview.server
    if server.append_only is None:
        text = "appendonly could not be read, so persistence is unknown"
        return Finding("persistence", "note", text, "make sure that it is on")
    if not server.append_only:
        text = "appendonly is off: a restart of the server loses the record of contacts"
        return Finding("persistence", "fail", text, "CONFIG SET appendonly yes, and in its configuration file")
    if server.writes_fail:
        text = "the server can't write its append-only file and rejects all writes until it can"
        return Finding("persistence", "fail", text, "free space on its disk; its log has details")
    return Finding("persistence", "ok", "appendonly is on: a restart of the server keeps its data")


def _writes(overview: Overview) -> Iterator[Finding]:
    """Report a server that was demoted. Its clients read as before, but every write fails."""
    if overview.server.replica:
        hint = "make it the primary again (REPLICAOF NO ONE), or point redis_url to the primary"
        yield Finding("writes", "fail", REPLICA, hint)
