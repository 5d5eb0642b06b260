"""The list of reasons: the command shows it, and the README names every one of them."""

import json
from pathlib import Path

from typer.testing import CliRunner

from tasks.policy.reasons import POSTPONED, REASONS
from tasks.policy.rules import RULES
from winback.cli.commands import app

README = Path(__file__).parents[2] / "README.md"


def test_the_command_explains_every_reason_on_a_line_of_its_own() -> None:
    result = CliRunner().invoke(app, ["reasons"], env={"NO_COLOR": "1"})
    assert result.exit_code == 0
    lines = [line.strip().split(maxsplit=2) for line in result.stdout.splitlines() if line]
    for outcome, meanings in {**REASONS, "postponed": POSTPONED}.items():
        for reason, meaning in meanings.items():
            assert [outcome, reason or "-", meaning] in lines


def test_the_command_names_the_rules_in_their_order() -> None:
    result = CliRunner().invoke(app, ["reasons", "--json"])
    assert json.loads(result.stdout)["rules"] == [rule.switch for rule in RULES]


def test_the_readme_names_every_outcome_and_reason() -> None:
    text = README.read_text(encoding="utf-8")
    missing = [
        name for outcome, meanings in REASONS.items() for name in (outcome, *meanings) if f"`{name}`" not in text
    ]
    assert [name for name in missing if name] == []
