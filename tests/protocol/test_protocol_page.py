"""The protocol's page agrees with the model: its diagram and tables have these states, transitions and guards."""

import re
from pathlib import Path

import pytest

from tests.model.guards import GUARDS
from tests.model.mixes import SHORT
from tests.model.page import WITHOUT, guard_table
from tests.model.search import searched
from tests.mutants.lua_guards import guards

# One process then searches once for this page and for the model's own tests.
pytestmark = pytest.mark.xdist_group("model")

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "protocol.md").read_text()
WAY = re.compile(r"(\[\*\]|\w+) --> (\w+): ([\w, ]+)")


def drawn_transitions() -> set[tuple[str, str, str]]:
    (diagram,) = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", PAGE, re.DOTALL)
    drawn = set()
    for line in diagram.splitlines():
        way = WAY.fullmatch(line.strip())
        assert way, f"not a transition: {line}"
        drawn |= {(way[1], step, way[2]) for step in way[3].split(", ")}
    return drawn


def listed_transitions() -> set[tuple[str, str, str]]:
    table = PAGE.partition("<!-- transitions: begin -->\n")[2].partition("\n<!-- transitions: end -->")[0]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    states = [title.removeprefix("to ").strip("`") for title in head]
    listed = set()
    for start, *cells in rows:
        for state, steps in zip(states[1:], cells, strict=True):
            listed |= {(start.strip("`"), step, state) for step in steps.split(", ") if step}
    return listed


def test_page_has_the_states_and_transitions_of_the_model() -> None:
    found = set().union(*(searched(mix).changes for mix in SHORT))
    assert not drawn_transitions() & listed_transitions()
    assert drawn_transitions() | listed_transitions() == {change for change in found if change[2] != "gone"}


def test_only_forget_while_sending_is_not_listed() -> None:
    found = set().union(*(searched(mix).changes for mix in SHORT if mix.forgets))
    erased = {(old, step) for old, step, new in found if new == "gone"}
    assert erased
    assert {step for _, step in erased} == {"forget"}
    assert "sending" not in {old for old, _ in erased}


def test_page_has_the_table_of_the_guards() -> None:
    table = PAGE.partition("<!-- guards: begin -->\n")[2].partition("\n<!-- guards: end -->")[0]
    assert table == guard_table(), "python -m tests.model --page writes it"


def test_every_guard_has_its_story() -> None:
    assert sorted(", ".join(WITHOUT).split(", ")) == sorted(GUARDS)


def test_guards_in_scripts_are_marked_in_their_script() -> None:
    in_scripts = {name: guard for name, guard in GUARDS.items() if guard.where not in {"attempt", "ingest"}}
    # `winback forget` doesn't remove the reservation: there is no line to mark.
    assert set(in_scripts) - set(guards()) == {"keeps_reserved"}


def test_every_covered_guard_is_marked_as_such() -> None:
    for name, guard in GUARDS.items():
        (row,) = (line for line in PAGE.splitlines() if line.startswith("| `") and f"`{name}`" in line.split("|")[1])
        assert not guard.covered_by or f"Covered by `{guard.covered_by}`" in row
