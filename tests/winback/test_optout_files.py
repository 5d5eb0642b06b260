"""`winback optout import` and `export`: files, registers, and no gap in the list in between."""

from pathlib import Path

import pytest

from state.optouts import OPERATOR
from state.people import person_of
from tests.support.decision_support import Shop
from tests.support.optout_lists import JANES, JOHNS, PHONE, numbers, opt_outs, replace, shop
from tests.support.states import SECRET

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")
JANES_MAIL = person_of("jane.doe@example.com", SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "+573001234567\n\n 300 123 4568 \nunknown\n",
        '\ufeffname;Phone;x\nJane;+573001234567;1\n;"300 123 4568";\n;unknown;\n',
        "phone,country\n+573001234567,\n300 123 4568,CO\nunknown,CO\n",
        "Teléfono\tPaís\n+573001234567\t\n300 123 4568\tColombia\nunknown\tCO\n",
        f"{JANES}\n{JOHNS}\nunknown\n",
    ],
)
def test_a_file_is_imported_and_bad_lines_are_named(shop: Shop, text: str) -> None:
    Path("list.csv").write_text(text)
    bad = 1 + text.splitlines().index(next(line for line in text.splitlines() if "unknown" in line))
    shown = shop.run("optout", "import", "list.csv", "--country", "CO", "--yes", code=1)
    assert f"line {bad}: isn't a valid phone number" in shown
    assert "2 entries imported; 2 new on the list; 1 line has a problem" in shown
    assert "unknown" not in shown
    assert [dict.fromkeys(found, 0) for found in opt_outs(shop).entries([JANES, JOHNS])] == [{OPERATOR: 0}] * 2
    again = shop.json("optout", "import", "list.csv", "--country", "CO", "--yes", code=1)
    assert (again["entries"], again["new"], [one["line"] for one in again["problems"]]) == (2, 0, [bad])


@pytest.mark.parametrize(
    "text",
    [
        "Jane.Doe@Example.com\n+573001234567\n",
        "phone;e-mail\n+573001234567;JANE.DOE@example.com\n",
        "correo,telefono\njane.doe@example.com,+57 300 123 4567\n",
    ],
)
def test_addresses_are_imported_as_well(shop: Shop, text: str) -> None:
    Path("list.csv").write_text(text)
    shop.run("optout", "import", "list.csv", "--yes")
    assert all(opt_outs(shop).entries([JANES, JANES_MAIL]))


def test_what_can_be_read_of_a_line_counts(shop: Shop) -> None:
    Path("list.csv").write_text('phone;email\n+573001234567;unknown\n"unbalanced;x\n')
    shown = shop.run("optout", "import", "list.csv", "--yes", code=1)
    assert "line 2: isn't a valid e-mail address" in shown
    assert "1 entry imported" in shown
    assert all(opt_outs(shop).entries([JANES]))


def test_a_file_in_another_encoding_is_read_or_refused(shop: Shop) -> None:
    Path("latin.csv").write_bytes("Teléfono;Nombre\n+573001234567;José\n".encode("latin-1"))
    assert "1 entry imported" in shop.run("optout", "import", "latin.csv", "--yes")
    Path("utf16.csv").write_bytes("phone\n+573001234567\n".encode("utf-16"))
    assert "isn't text in UTF-8" in shop.run("optout", "import", "utf16.csv", "--yes", code=2)


def test_it_asks_before_it_opts_anyone_out(shop: Shop) -> None:
    Path("list.txt").write_text(f"{PHONE}\n{PHONE}\n")
    asked = "Opt out 2 entries (0 lines can't be read)?"
    assert asked in shop.run("optout", "import", "list.txt", typed="n\n", code=1)
    assert not shop.state.people.person_facts(JANES).opted_out
    assert "2 entries imported; 1 new" in shop.run("optout", "import", "-", "--yes", typed=f"{PHONE}\n{PHONE}\n")
    shown = shop.run("optout", "import", "-", typed=f"{PHONE}\n", code=2)
    assert shown == "the file comes from stdin, so the command can't ask: add --yes"


def test_a_list_of_thousands_is_imported(shop: Shop) -> None:
    Path("list.txt").write_text(numbers(0, 2500))
    assert "2,500 entries imported" in shop.run("optout", "import", "list.txt", "--yes")
    assert len(shop.json("optout", "export")) == 2500


def test_a_file_without_a_known_column_is_refused(shop: Shop) -> None:
    Path("list.csv").write_text("name,address\nJane,here\n")
    said = "line 1: none of the columns is called phone or email"
    assert shop.run("optout", "import", "list.csv", code=2).startswith(said)


# Exporting and importing the list


def test_an_export_holds_hashes_and_can_be_imported(shop: Shop) -> None:
    replace(shop, numbers(0, 3))
    shop.run("optout", "add", PHONE, "jane.doe@example.com")
    before, exported = dict(opt_outs(shop).everyone()), shop.run("optout", "export")
    assert exported.startswith("person,source,recorded_at\n")
    assert "3001234567" not in exported
    assert "jane" not in exported
    shop.state.client.flushall()
    assert shop.run("optout", "export") == "person,source,recorded_at\n"
    Path("exported").write_text(exported)
    shop.run("optout", "import", "exported", "--yes")
    assert dict(opt_outs(shop).everyone()) == before
    assert opt_outs(shop).registers()["RNE"].count == 3


def test_an_export_in_json_is_one_list(shop: Shop) -> None:
    assert shop.json("optout", "export") == []
    shop.run("optout", "add", PHONE)
    (row,) = shop.json("optout", "export")
    assert (row["person"], row["source"]) == (JANES, "operator")


def test_an_exported_line_with_a_fault_keeps_its_person(shop: Shop) -> None:
    lines = [f"{JANES},RNE,yesterday", f"{JOHNS},a b,", "zz,RNE,"]
    Path("exported").write_text("\n".join(["person,source,recorded_at", *lines]))
    shown = shop.run("optout", "import", "exported", "--yes", code=1)
    assert "line 2: has an invalid recorded_at" in shown
    assert "line 3: has an invalid source" in shown
    assert "line 4: isn't the hash of a person" in shown
    assert all(opt_outs(shop).entries([JANES, JOHNS]))
