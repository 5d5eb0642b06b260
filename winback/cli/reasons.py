"""`winback reasons`: the meaning of each outcome and reason, and the rules that can be disabled."""

import json as jsonlib
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from tasks.policy.reasons import POSTPONED, REASONS
from tasks.policy.rule_table import RULES

_PIPED_WIDTH = 1000  # characters; a program that reads a pipe needs whole lines


def reasons(
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object: outcomes, postponed, rules.")] = False,
) -> None:
    """Explain each outcome and its reasons, each postponement, and list the rules of the contact policy.

    The rules are checked in the order shown. Each one's name is its reason.
    `contact.disabled_rules` can disable all rules that aren't marked with "always".
    """
    rules = [{"name": rule.name, "can_be_disabled": not rule.always} for rule in RULES]
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
    names = (rule.name if not rule.always else f"{rule.name} (always)" for rule in RULES)
    console.print("\nrules, in order:", ", ".join(names), highlight=False)
