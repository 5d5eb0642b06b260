"""`winback optout`: the list, from the command line and from files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.people import person_of
from tests.helpers import JANE, SECRET
from tests.operating import Shop, shop_on
from worker.valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
PHONE = JANE["phone_number"]
JANES = person_of(PHONE, SECRET)


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def test_a_number_is_the_same_however_it_is_written(shop: Shop) -> None:
    assert shop.run("optout", "add", "300 123 4567", "--country", "Colombia").startswith("1 person opted out")
    assert shop.state.people.facts(JANES).opted_out
    assert shop.run("optout", "check", PHONE) == f"{PHONE}: opted out\n"
    assert shop.run("optout", "remove", PHONE) == "1 person taken off the list; 0 not on it\n"
    assert shop.run("optout", "check", PHONE, code=1) == f"{PHONE}: not on the list\n"
    assert shop.json("optout", "check", PHONE, code=1) == [{"line": 1, "person": JANES, "opted_out": False}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("300 123 4567",),
            "'300 123 4567' is not a valid phone number: write it with + and the country code, or name",
        ),
        (("3001234567", "--country", "Nowhere"), "--country: 'Nowhere' is not a country"),
    ],
)
def test_what_is_no_number_is_refused_in_one_line(shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    shown = shop.run("optout", "add", *arguments, code=2)
    assert shown.startswith(said)
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "+573001234567\n\n 300 123 4568 \nnobody\n",
        '\ufeffname;Phone;x\nJane;+573001234567;1\n;"300 123 4568";\n;nobody;\n',
        "phone,country\n+573001234567,\n300 123 4568,CO\nnobody,CO\n",
    ],
)
def test_a_file_is_imported_and_its_bad_lines_are_named(shop: Shop, text: str) -> None:
    Path("list.csv").write_text(text)
    bad = 1 + text.splitlines().index(next(line for line in text.splitlines() if "nobody" in line))
    shown = shop.run("optout", "import", "list.csv", "--country", "CO", "--yes", code=1)
    assert f"line {bad}: is not a valid phone number" in shown
    assert "2 people opted out; 2 not on the list before; 1 lines left out" in shown
    assert "nobody" not in shown
    again = shop.json("optout", "import", "list.csv", "--country", "CO", "--yes", code=1)
    assert (again["opted_out"], again["new"], [one["line"] for one in again["left_out"]]) == (2, 0, [bad])


def test_a_file_is_asked_about_before_anybody_is_put_on_the_list(shop: Shop) -> None:
    Path("list.txt").write_text(f"{PHONE}\n{PHONE}\n")
    assert "Opt out 1 person (0 lines cannot be read)?" in shop.run("optout", "import", "list.txt", typed="n\n", code=1)
    assert not shop.state.people.facts(JANES).opted_out
    shop.run("optout", "import", "-", "--yes", typed=f"{PHONE}\n")
    assert shop.state.people.facts(JANES).opted_out
    shown = shop.run("optout", "import", "-", typed=f"{PHONE}\n", code=2)
    assert shown == "stdin is being read, so nobody can be asked: say --yes"


def test_a_list_of_thousands_is_imported(shop: Shop) -> None:
    Path("list.txt").write_text("".join(f"+57300{number:07d}\n" for number in range(2500)))
    assert "2,500 people opted out" in shop.run("optout", "import", "list.txt", "--yes")
    assert len(shop.json("optout", "export")) == 2500


def test_a_file_without_a_column_for_the_number_is_refused(shop: Shop) -> None:
    Path("list.csv").write_text("name,address\nJane,here\n")
    assert shop.run("optout", "import", "list.csv", code=2).startswith("line 1: none of the columns is called phone")


def test_what_is_exported_holds_hashes_only_and_can_be_imported(shop: Shop) -> None:
    shop.run("optout", "add", PHONE)
    exported = shop.run("optout", "export")
    assert exported == f"{JANES}\n"
    shop.run("optout", "remove", PHONE)
    assert shop.run("optout", "export") == ""
    Path("exported").write_text(exported)
    shop.run("optout", "import", "exported", "--yes")
    assert shop.state.people.facts(JANES).opted_out


def test_another_secret_is_refused_before_anybody_is_put_on_the_list_in_vain(shop: Shop) -> None:
    shop.run("optout", "add", PHONE)
    shop.env["WINBACK_IDENTITY_SECRET"] = "another secret of the tests"
    assert "identity_secret is not the one" in shop.run("optout", "check", PHONE, code=2)
    del shop.env["WINBACK_IDENTITY_SECRET"]
    assert shop.run("optout", "check", PHONE, code=2).startswith("identity_secret")
