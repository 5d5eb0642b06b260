"""`winback report --html`, as it is called."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tests.support.cli_support import environment
from tests.support.html_page import Page
from tests.support.orders import contacted, order, order_comes
from winback.cli.report import report as report_command
from worker.errors import StartError
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
TUNED = {
    "command": "tune",
    "version": 1,
    "asked": {"outcome": "order", "target": 0.1, "horizon_seconds": 86_400, "further": True},
    "stages": [],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def env(valkey: EmbeddedValkey) -> dict[str, str]:
    return environment(valkey.url)


def run(env: Mapping[str, str], *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(report_command)
    return CliRunner().invoke(app, arguments, env={"NO_COLOR": "1", **env}, catch_exceptions=False)


def refusal(env: Mapping[str, str], *arguments: str) -> str:
    with pytest.raises(StartError) as refused:
        run(env, *arguments)
    return str(refused.value)


def test_page_of_a_contact_equals_the_json_output(real_state: State, env: dict[str, str], folder: Path) -> None:
    contacted(real_state, ago_ms=1000)
    order_comes(real_state, order())
    assert run(env, "--html", "report.html").stdout == ""
    tables = Page((folder / "report.html").read_text(encoding="utf-8")).tables
    total = json.loads(run(env, "--json", "--by", "total").stdout)["total"]
    assert tables["Recovered orders and revenue"] == [[1], [total["recovered"]["revenue"]["COP"]]]
    assert tables["Outcomes by day"] == [[1, 1, total["contacted"], 0, 0, 0, total["recovered"]["orders"]]]


@pytest.mark.usefixtures("real_state")
def test_page_replaces_an_earlier_file_and_leaves_no_other(env: dict[str, str], folder: Path) -> None:
    (folder / "report.html").write_text("earlier")
    assert run(env, "--html", "report.html").exit_code == 0
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert [path.name for path in folder.iterdir()] == ["report.html"]


@pytest.mark.usefixtures("real_state")
def test_dash_prints_the_page(env: dict[str, str], folder: Path) -> None:
    assert Page(run(env, "--html", "-").stdout).headings == []
    assert [*folder.iterdir()] == []


@pytest.mark.usefixtures("real_state")
def test_results_of_tune_are_on_the_page(env: dict[str, str], folder: Path) -> None:
    (folder / "tune.json").write_text(json.dumps(TUNED))
    found = Page(run(env, "--html", "-", "--tune", "tune.json").stdout)
    assert found.headings == ["How long to wait"]
    assert "those who would have ordered by themselves within 1 day" in found.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--html", "x.html", "--json"], "--html: can't be used with --json"),
        (["--tune", "tune.json"], "--tune: needs --html FILE"),
        (["--html", "none/x.html"], "--html none/x.html: there is no directory none"),
        (["--html", "x.html", "--tune", "none.json"], "--tune none.json: can't be read: no such file"),
    ],
)
def test_impossible_requests_are_refused(env: dict[str, str], arguments: list[str], says: str) -> None:
    assert says in refusal(env, *arguments)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "isn't a result of winback tune --json"),
        ("[1]", "isn't a result of winback tune --json"),
        ('{"command": "simulate"}', "(command: "),
        (json.dumps(TUNED | {"version": 2}), "(version: "),
        (json.dumps(TUNED | {"stages": [{"stage": "cart_review"}]}), "(stages.0."),
        (json.dumps(TUNED).replace("0.1", "NaN"), "(asked.target: "),
    ],
)
def test_other_files_than_results_of_tune_are_refused(env: dict[str, str], folder: Path, text: str, says: str) -> None:
    (folder / "tune.json").write_text(text)
    found = refusal(env, "--html", "x.html", "--tune", "tune.json")
    assert found.startswith("--tune tune.json: isn't a result of winback tune --json")
    assert says in found
    assert "\n" not in found


@pytest.mark.usefixtures("real_state")
def test_directory_as_file_is_refused_in_one_line(env: dict[str, str], folder: Path) -> None:
    (folder / "taken").mkdir()
    assert refusal(env, "--html", "taken") == "--html taken: can't be written: is a directory"
    assert [path.name for path in folder.iterdir()] == ["taken"]
