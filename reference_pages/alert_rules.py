"""The table of the alert rules, from the file that Prometheus loads."""

from pathlib import Path

import yaml

RULES = Path("deploy/prometheus/winback.rules.yml")


def alert_rules() -> str:
    """Return the table."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    rows = [
        f"| `{rule['alert']}` | {rule['labels']['severity']} | {_condition(rule)} | {rule['annotations']['action']} |"
        for rule in rules
    ]
    return "\n".join(["| alert | severity | condition | what to do |", "|---|---|---|---|", *rows])


def _condition(rule: dict[str, str]) -> str:
    lasting = f", for {rule['for']}" if "for" in rule else ""
    shown = rule["expr"].replace("|", "\\|")
    return f"`{shown}`{lasting}"
