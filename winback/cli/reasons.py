"""`winback reasons`: what every outcome and its reason mean, and which rules can be switched off."""

import json as jsonlib
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from tasks.policy.reasons import POSTPONED, REASONS
from tasks.policy.rules import RULES

_PIPED_WIDTH = 1000  # characters; what reads a pipe wants whole lines


def reasons(
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object: outcomes, postponed, rules.")] = False,
) -> None:
    """Explain every outcome and its reasons, why something is postponed, and name the rules of the contact policy.

    The rules are asked in the order shown; those with a name can be switched off with `contact.disabled_rules`.
    """
    rules = [rule.switch for rule in RULES]
    if json:
        typer.echo(jsonlib.dumps({"outcomes": REASONS, "postponed": POSTPONED, "rules": rules}, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    table = Table(
        "outcome", "reason", Column("meaning", overflow="fold"), box=None, pad_edge=False, header_style="bold"
    )
    for outcome, meanings in {**REASONS, "postponed": POSTPONED}.items():
        for reason, meaning in meanings.items():
            table.add_row(outcome, reason or "-", meaning)
    console.print(table)
    console.print("\nrules, in order:", ", ".join(rule or "(always asked)" for rule in rules), highlight=False)
