"""The age of imported do-not-call registers (RNE, REPEP and others). Pure."""

from collections.abc import Mapping

from state.keys import DAY_MS
from state.optouts import Register
from worker.monitoring.finding import Finding, span

OLD_MS = 30 * DAY_MS
"""An import is current for this time. Several laws require a new list at this interval."""


def findings(registers: Mapping[str, Register], now_ms: int) -> list[Finding]:
    """Return one finding per register."""
    return [_finding(source, register, now_ms - register.at_ms) for source, register in registers.items()]


def _finding(source: str, register: Register, age_ms: int) -> Finding:
    entries = "1 entry" if register.count == 1 else f"{register.count:,} entries"
    text = f"{source} has {entries}, imported {span(max(0, age_ms))} ago"
    if age_ms <= OLD_MS:
        return Finding("register", "ok", text)
    hint = f"winback optout import --source {source} --replace FILE"
    return Finding("register", "warn", f"{text}: people who registered since are called", hint)
