"""`winback reasons`: the meaning of each outcome and reason, and the rules that can be disabled."""

import json as jsonlib
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from tasks.policy.attempt_reasons import ATTEMPTS
from tasks.policy.reasons import POSTPONED, REASONS, UNNAMED
from tasks.policy.rule_table import RULES

_PIPED_WIDTH = 1000  # characters; a program that reads a pipe needs whole lines


def reasons(
    *,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object: outcomes, postponed, attempts, rules.")
    ] = False,
) -> None:
    """Explain each outcome, postponement and failed attempt with its reasons, and list the rules of the contact policy.

    The rules are checked in the order shown. Each one's name is its reason.
    `contact.disabled_rules` can disable all rules that aren't marked with "always".
    """
    rules = [{"name": rule.name, "can_be_disabled": not rule.always} for rule in RULES]
    if json:
        document = {"outcomes": REASONS, "postponed": POSTPONED, "attempts": ATTEMPTS, "rules": rules}
        typer.echo(jsonlib.dumps(document, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    table = Table(
        "outcome", "reason", Column("meaning", overflow="fold"), box=None, pad_edge=False, header_style="bold"
    )
    for outcome, meanings in {**REASONS, "postponed": POSTPONED, "attempt": ATTEMPTS}.items():
        for reason, meaning in meanings.items():
            table.add_row(outcome, reason or UNNAMED.get(outcome, "-"), meaning)
    console.print(table)
    names = (rule.name if not rule.always else f"{rule.name} (always)" for rule in RULES)
    console.print("\nrules, in order:", ", ".join(names), highlight=False)
