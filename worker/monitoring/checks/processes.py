"""Whether the processes of a deployment were started with the same settings; names those that weren't. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from state.announcements import Announcement
from state.overview import Overview
from worker.monitoring.finding import Finding, span

STOP = "stop the processes that should not run, or start them again with the settings of the others"
_MOST_NAMED = 5
_RECORDED = {
    "schema": "another version of Winback than the data's",
    "identity": "another identity_secret than the one the data was written with, so no person is recognised",
}
"""What is compared with the record, in all roles."""
_COMPARED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "contact": (("ingest", "recover"), "other [contact] settings"),
    "delivery": (("recover",), "other [delivery] settings"),
    "detection": (("sweep",), "other [detection] settings"),
}
"""What is compared among the processes of the roles that use it."""

Process = tuple[str, Announcement]
"""A role, and what a process of it announced."""


def findings(overview: Overview, longest_ms: Mapping[str, int]) -> Iterator[Finding]:
    """Compare the processes that run. `longest_ms`: by role, how old the announcement of one that runs can be."""
    found = list(_all(overview, longest_ms))
    yield from found or [Finding("processes", "ok", "all that run were started with the same settings")]


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
    """Say that workers were handed outreaches of another namespace: those wait until their leases run out."""
    if overview.foreign_ms is not None:
        ago = span(max(0, overview.now_ms - overview.foreign_ms))
        text = f"workers were handed outreaches that this namespace does not hold, the last {ago} ago: "
        text += "another namespace uses the same queues, and each delays the other's outreaches by their leases"
        yield Finding("namespaces", "fail", text, "give each namespace a broker of its own (WINBACK_BROKER_URL)")


def _modes(workers: Sequence[Process], overview: Overview) -> Iterator[Finding]:
    """Name how each worker sends when they differ, or one that differs from the record."""
    modes: dict[tuple[str, str], list[Process]] = {}
    for each in workers:
        modes.setdefault((_mode_and_key(each[1].about), each[1].about.get("sending_mode", "")), []).append(each)
    recorded = overview.deployment.get("mode")
    if len(modes) > 1:
        summary = "; ".join(f"{_names(found)}: {way}" for (way, _), found in sorted(modes.items()))
        text = f"workers run in different modes or for different endpoints, so none of them acts: {summary}"
        yield Finding("processes", "fail", text, STOP)
    elif modes and recorded and not any(way.startswith(recorded) for way, _ in modes):
        ((way, _),) = modes
        text = f"{_names(workers)}: {way}, while the deployment is in mode {recorded}: it does not act"
        yield Finding("processes", "fail", text, "wait 10 s: the record follows when all workers that run agree")


def _mode_and_key(about: Mapping[str, str]) -> str:
    mode = about.get("mode", "an unknown mode")
    return f"live for {about.get('endpoint', '')}" if mode == "live" else mode


def _outliers(processes: Sequence[Process], name: str) -> tuple[list[Process], list[Process]]:
    """Return the processes whose value isn't that of the most of them, and the others; two empty lists for none."""
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
