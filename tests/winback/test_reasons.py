"""The list of reasons in the command. The page: `tests/docs/test_reference.py`."""

import json

from typer.testing import CliRunner

from tasks.policy.reasons import POSTPONED, REASONS
from tasks.policy.rule_table import RULES
from winback.cli.commands import app


def test_the_command_explains_every_reason_on_a_line_of_its_own() -> None:
    result = CliRunner().invoke(app, ["reasons"], env={"NO_COLOR": "1"})
    assert result.exit_code == 0
    lines = [line.strip().split(maxsplit=2) for line in result.stdout.splitlines() if line]
    for outcome, meanings in {**REASONS, "postponed": POSTPONED}.items():
        for reason, meaning in meanings.items():
            assert [outcome, reason or "-", meaning] in lines


def test_the_command_names_the_rules_in_their_order() -> None:
    result = CliRunner().invoke(app, ["reasons", "--json"])
    assert json.loads(result.stdout)["rules"] == [
        {"name": rule.name, "can_be_disabled": not rule.always} for rule in RULES
    ]
