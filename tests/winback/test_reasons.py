"""The list of reasons in the command. The page: `tests/docs/test_reference.py`."""

import json

import httpcore
import pytest
from typer.testing import CliRunner

from tasks.delivery.yuno import _name
from tasks.policy.attempt_reasons import ATTEMPTS, attempt_meaning
from tasks.policy.reasons import POSTPONED, REASONS, UNNAMED
from tasks.policy.rule_table import RULES
from winback.cli.commands import app


def test_the_command_explains_every_reason_on_a_line_of_its_own() -> None:
    result = CliRunner().invoke(app, ["reasons"], env={"NO_COLOR": "1"})
    assert result.exit_code == 0
    lines = [line.strip().split(maxsplit=2) for line in result.stdout.splitlines() if line]
    for outcome, meanings in {**REASONS, "postponed": POSTPONED, "attempt": ATTEMPTS}.items():
        for reason, meaning in meanings.items():
            assert [outcome, reason or UNNAMED.get(outcome, "-"), meaning] in lines
    assert UNNAMED["dead"] == "http_*"


def test_the_command_names_the_rules_in_their_order() -> None:
    result = CliRunner().invoke(app, ["reasons", "--json"])
    assert json.loads(result.stdout)["rules"] == [
        {"name": rule.name, "can_be_disabled": not rule.always} for rule in RULES
    ]


@pytest.mark.parametrize(
    ("status", "like"),
    [
        ("http_503", "http_503"),
        ("http_503.OVERLOADED", "http_503"),
        ("http_400.REQUEST_IN_PROCESS", "http_400.REQUEST_IN_PROCESS"),
        ("http_422.INVALID", "http_4*"),
        ("http_501", "http_5*"),
        ("http_302", "http_3*"),
    ],
)
def test_status_with_a_code_has_the_closest_meaning(status: str, like: str) -> None:
    assert attempt_meaning(status) == ATTEMPTS[like]


@pytest.mark.parametrize("status", ["http_200", "", "not made"])
def test_success_has_no_meaning_of_a_failure(status: str) -> None:
    assert attempt_meaning(status) == ""


def test_each_error_of_the_client_has_a_meaning() -> None:
    kinds = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)
    errors = [one for kind in kinds for one in kind.__subclasses__()]
    assert [one.__name__ for one in errors if not attempt_meaning(_name(one()))] == []
