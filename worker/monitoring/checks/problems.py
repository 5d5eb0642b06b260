"""Findings about problems that processes have reported. Pure."""

from collections.abc import Iterator

from state.overview import Overview
from worker.monitoring.finding import Finding


def findings(overview: Overview) -> Iterator[Finding]:
    """Report each problem with a hint."""
    for about, problem in overview.problems.items():
        first, *more = problem.splitlines() or [""]
        others = f" (and {len(more)} more)" if more else ""
        if about == "detection":
            text = f"the sweep can't use the edited settings and keeps the previous ones: {first}{others}"
            yield Finding("thresholds", "fail", text, "fix the file; until then no role can start")
        elif about == "shared_identity":
            yield Finding("people", "note", first, "leave customer.email empty where it is the shop's own")
        elif about == "replication":
            yield Finding("replication", "fail", first, "bring the replicas back, or see redis_replicas")
        else:
            yield Finding(about, "warn", f"{first}{others}")
