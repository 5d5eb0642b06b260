"""The page of the outcomes: outcomes with their reasons, postponements, and the rules of the contact policy."""

from tasks.policy.attempt_reasons import ATTEMPTS
from tasks.policy.reasons import POSTPONED, REASONS, UNNAMED
from tasks.policy.rule_table import RULES, Rule


def outcomes() -> str:
    """Return a table of reasons for each outcome."""
    lines = []
    for outcome, meanings in REASONS.items():
        lines += [f"### `{outcome}`", "", "| reason | meaning |", "|---|---|"]
        lines += [f"| {_shown(outcome, reason)} | {meaning} |" for reason, meaning in meanings.items()]
        lines.append("")
    return "\n".join(lines).strip()


def postponed() -> str:
    """Return the table of postponements."""
    rows = [f"| `{reason}` | {meaning} |" for reason, meaning in POSTPONED.items()]
    return "\n".join(["| reason | meaning |", "|---|---|", *rows])


def attempts() -> str:
    """Return the table of failed attempts."""
    rows = [f"| `{reason}` | {meaning} |" for reason, meaning in ATTEMPTS.items()]
    return "\n".join(["| reason | meaning |", "|---|---|", *rows])


def rules() -> str:
    """Return the rules in the order in which they are asked."""
    named = (f"{at}. {_name(rule)}" for at, rule in enumerate(RULES, 1))
    return "\n".join(named)


def _shown(outcome: str, reason: str) -> str:
    shown = reason or UNNAMED.get(outcome, "(none)")
    return shown if shown.startswith("(") else f"`{shown}`"


def _name(rule: Rule) -> str:
    return f"`{rule.name}`{' (always asked)' if rule.always else ''}"
