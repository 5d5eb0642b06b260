"""`winback law`: the table on a screen of 80 columns, and one entry with its sources and holidays."""

import json

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from tasks.policy.law.table import DISCLAIMER, table
from winback.cli import law, terminal
from winback.cli.commands import app, run


def said(*words: str) -> Result:
    return CliRunner().invoke(app, ["law", *words], env={"NO_COLOR": "1"})


def test_the_list_has_one_line_for_each_entry() -> None:
    lines = said("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : len(table()) + 1]] == list(table())
    assert lines[len(table()) + 1] == ""
    (colombia,) = (line for line in lines if line.startswith("CO "))
    assert colombia.split() == ["CO", "Mo-Fr", "7-19", "Sa", "8-15", "*", "1/24h", "both", "2026-11", "RNE", "(CRC)"]


def test_the_list_fits_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(terminal, "out", lambda: Console(width=80, highlight=False))
    law.list_()
    law.show("CO")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_an_entry_is_shown_with_its_sources_and_holidays() -> None:
    text = said("show", "colombia").stdout
    for part in ("CO  Colombia", "mon-fri 07:00-19:00", "1/24h", "RNE", "leyonline.co", "2026-11", "Christmas Day"):
        assert part in text
    assert DISCLAIMER in text


def test_every_command_prints_the_legal_disclaimer() -> None:
    assert DISCLAIMER in said("list").stdout
    assert "not legal advice" in " ".join(said("list", "--help").stdout.split()).lower()
    assert "not legal advice" in " ".join(said("show", "--help").stdout.split()).lower()


def test_entries_are_json_documents() -> None:
    found = json.loads(said("list", "--json").stdout)
    assert [entry["code"] for entry in found] == list(table())
    one = json.loads(said("show", "US-AL", "--json").stdout)
    assert one["windows"] == ["mon-sat 08:00-20:00"]
    assert "Confederate Memorial Day" in one["holidays"].values()
    assert json.loads(said("show", "MX", "--json").stdout)["holidays"] == {}


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("Atlantis", "'Atlantis' is neither a country nor a state: write CO, Colombia or US-FL"),
        ("JP", "JP has no entry in the law table"),
    ],
)
def test_a_place_without_an_entry_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, message: str
) -> None:
    monkeypatch.setattr("sys.argv", ["winback", "law", "show", place])
    assert run() == 2
    assert capsys.readouterr().err.startswith(message)
