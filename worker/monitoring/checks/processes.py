"""Compares the settings of a deployment's processes, and names the processes that differ. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from state.announcements import Announcement
from state.overview import Overview
from worker.monitoring.finding import Finding, span

STOP = "stop the processes that shouldn't run, or restart them with the settings of the others"
_MOST_NAMED = 5
_RECORDED = {
    "schema": "another version of Winback than the data's",
    "identity": "another identity_secret than the one the data was written with, so no person is recognised",
}
"""Compared with the record, in all roles."""
_COMPARED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "contact": (("ingest", "recover"), "other [contact] settings"),
    "delivery": (("recover",), "other [delivery] settings"),
    "detection": (("sweep",), "other [detection] settings"),
}
"""Compared among the processes of the roles that use it."""

Process = tuple[str, Announcement]
"""A role, and the announcement of one of its processes."""


def findings(overview: Overview, longest_ms: Mapping[str, int]) -> Iterator[Finding]:
    """Compare the running processes. `longest_ms`: by role, the highest age of a running process's announcement."""
    found = list(_all(overview, longest_ms))
    yield from found or [Finding("processes", "ok", "all processes were started with the same settings")]


def _all(overview: Overview, longest_ms: Mapping[str, int]) -> Iterator[Finding]:
    running = [
        (role, one)
        for role, announced in overview.announced.items()
        for one in announced
        if overview.now_ms - one.at_ms <= longest_ms[role]
    ]
    for name, words in _RECORDED.items():
        recorded = overview.deployment.get(name)
        odd = [each for each in running if recorded and each[1].about.get(name, recorded) != recorded]
        if odd:
            yield Finding("processes", "fail", f"{_names(odd)}: {words}", STOP)
    yield from _modes([each for each in running if each[0] == "recover"], overview)
    for name, (roles, words) in _COMPARED.items():
        odd, others = _outliers([each for each in running if each[0] in roles], name)
        if odd:
            yield Finding("processes", "fail", f"{_names(odd)}: {words} than {_names(others)}", STOP)


def namespaces(overview: Overview) -> Iterator[Finding]:
    """Report that workers received outreaches of another namespace: these wait until their leases expire."""
    if overview.foreign_ms is not None:
        ago = span(max(0, overview.now_ms - overview.foreign_ms))
        text = f"workers received outreaches that this namespace doesn't hold, the last {ago} ago: "
        text += (
            "another namespace uses the same queues, and each delays the other's outreaches by the length of a lease"
        )
        yield Finding("namespaces", "fail", text, "give each namespace its own broker (WINBACK_BROKER_URL)")


def _modes(workers: Sequence[Process], overview: Overview) -> Iterator[Finding]:
    """Report workers with different modes, or workers whose mode differs from the record."""
    modes: dict[tuple[str, str], list[Process]] = {}
    for each in workers:
        modes.setdefault((_mode_and_key(each[1].about), each[1].about.get("sending_mode", "")), []).append(each)
    recorded = overview.deployment.get("mode")
    if len(modes) > 1:
        summary = "; ".join(f"{_names(found)}: {way}" for (way, _), found in sorted(modes.items()))
        text = f"workers run in different modes or for different endpoints, so none of them sends: {summary}"
        yield Finding("processes", "fail", text, STOP)
    elif modes and recorded and not any(way.startswith(recorded) for way, _ in modes):
        ((way, _),) = modes
        text = f"{_names(workers)}: {way}, while the deployment is in mode {recorded}: not sending"
        yield Finding("processes", "fail", text, "wait 10 s: the record is updated when all running workers agree")


def _mode_and_key(about: Mapping[str, str]) -> str:
    mode = about.get("mode", "an unknown mode")
    return f"live for {about.get('endpoint', '')}" if mode == "live" else mode


def _outliers(processes: Sequence[Process], name: str) -> tuple[list[Process], list[Process]]:
    """Return the processes whose value isn't the most common one, and the others; two empty lists if all agree."""
    values = Counter(each[1].about.get(name, "") for each in processes)
    if len(values) < 2:  # noqa: PLR2004 - one value: they agree
        return [], []
    usual = values.most_common(1)[0][0]
    odd = [each for each in processes if each[1].about.get(name, "") != usual]
    return odd, [each for each in processes if each[1].about.get(name, "") == usual]


def _names(processes: Sequence[Process]) -> str:
    names = [f"{role} {one.process}" for role, one in processes]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
