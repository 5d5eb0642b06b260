"""Findings about the state server's willingness to take writes. Pure."""

from collections.abc import Iterator

from state.overview import Overview
from worker.monitoring.finding import Finding

REPLICA = "the server is a replica and takes no writes: no event is applied and no contact is made"


def findings(overview: Overview) -> Iterator[Finding]:
    """Find a server that was demoted. Its clients read as before, and every write fails."""
    if overview.server.replica:
        hint = "make it the primary again (REPLICAOF NO ONE), or point redis_url to the primary"
        yield Finding("writes", "fail", REPLICA, hint)
