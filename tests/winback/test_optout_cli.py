"""`winback optout`: one person at a time, from the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.optouts import OptOuts
from state.people import person_of
from tests.support.decision_support import Shop, shop_on
from tests.support.events import JANE
from tests.support.people import link
from tests.support.states import SECRET
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
PHONE = JANE["phone_number"]
EMAIL = "Jane.Doe@Example.com"
JANES = person_of(PHONE, SECRET)
JANES_MAIL = person_of(EMAIL.lower(), SECRET)


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def opt_outs(shop: Shop) -> OptOuts:
    return OptOuts(shop.state.scripts, shop.state.keys)


def test_a_number_is_the_same_however_it_is_written(shop: Shop) -> None:
    assert (
        shop.run("optout", "add", "300 123 4567", "--country", "Colombia") == "1 person opted out; 1 new on the list\n"
    )
    assert shop.state.people.person_facts(JANES).opted_out
    assert shop.run("optout", "check", PHONE).startswith(f"{PHONE}: opted out: operator 20")
    assert shop.run("optout", "remove", PHONE) == "1 person taken off; 0 not on it\n"
    assert shop.run("optout", "check", PHONE, code=1) == f"{PHONE}: not on the list\n"
    found = shop.json("optout", "check", PHONE, code=1)
    assert found == [{"line": 1, "people": [JANES], "opted_out": False, "sources": {}}]


def test_an_address_opts_out_in_any_case(shop: Shop) -> None:
    assert shop.run("optout", "add", EMAIL, PHONE) == "2 people opted out; 2 new on the list\n"
    assert shop.state.people.person_facts(JANES_MAIL).opted_out
    assert shop.run("optout", "add", EMAIL.upper()) == "1 person opted out; 0 new on the list\n"
    assert shop.run("optout", "check", EMAIL.lower()).startswith("jane.doe@example.com: opted out: operator 20")
    assert shop.run("optout", "remove", EMAIL.upper()) == "1 person taken off; 0 not on it\n"
    assert [bool(found) for found in opt_outs(shop).entries([JANES, JANES_MAIL])] == [True, False]


def test_check_names_each_source_and_its_date(shop: Shop) -> None:
    shop.state.people.opt_out(JANES)
    opt_outs(shop).add([JANES], "RNE", 1_764_547_200_000)
    shown = shop.run("optout", "check", PHONE)
    assert shown.startswith(f"{PHONE}: opted out: RNE 2025-12-01, shop 20")
    (row,) = shop.json("optout", "check", PHONE)
    assert row["sources"]["RNE"] == "2025-12-01T00:00:00Z"


def test_a_registers_entry_stays_until_it_is_named(shop: Shop) -> None:
    opt_outs(shop).add([JANES], "RNE", 1_764_547_200_000)
    shop.run("optout", "add", PHONE)
    shown = shop.run("optout", "remove", PHONE, code=1)
    assert shown == (
        "1 person taken off; 0 not on it\n"
        f"{PHONE}: still opted out: RNE 2025-12-01 (winback optout remove --source RNE)\n"
    )
    assert shop.run("optout", "remove", PHONE, "--source", "RNE") == "1 person taken off RNE; 0 not on it\n"
    assert not shop.state.people.person_facts(JANES).opted_out


def test_an_opt_out_by_phone_shows_under_the_address(shop: Shop) -> None:
    link(shop.state, JANES, JANES_MAIL)
    shop.run("optout", "add", PHONE)
    assert shop.run("optout", "check", EMAIL).startswith(f"{EMAIL}: opted out: linked 20")
    shop.run("optout", "remove", PHONE)
    shop.run("optout", "check", EMAIL, code=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("12",), "'12' is not a valid phone number: write it with + and the country code, or name"),
        (("3001234567", "--country", "Nowhere"), "--country: 'Nowhere' is not a country"),
        (("jane@",), "'jane@' is not a valid e-mail address"),
    ],
)
def test_an_invalid_contact_is_refused_in_one_line(shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    shown = shop.run("optout", "add", *arguments, code=2)
    assert shown.startswith(said)
    assert len(shown.splitlines()) == 1


def test_of_several_readings_all_are_opted_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only `remove` refuses: strangers could be taken off the list."""
    both = (PHONE, "+923001234567")
    monkeypatch.setattr("winback.operations.contact_input.named_by", lambda *_: both)
    shown = shop.run("optout", "add", "300 123 4567")
    assert shown.startswith("'300 123 4567' can be read in 2 ways: write it with + and the country code, or name its")
    assert all(opt_outs(shop).entries([person_of(one, SECRET) for one in both]))
    assert "can be read in 2 ways" in shop.run("optout", "remove", "300 123 4567", code=2)
    Path("list.txt").write_text("3001234567\n")
    shown = shop.run("optout", "import", "list.txt", "--yes", code=1)
    assert "line 1: can be read in 2 ways, and all of them are on the list now; name its country" in shown


def test_sources_lists_entries_and_imports(shop: Shop) -> None:
    assert shop.run("optout", "sources") == "the list is empty\n"
    shop.run("optout", "add", PHONE)
    Path("rne.txt").write_text(f"{PHONE}\n+573001234568\n")
    shop.run("optout", "import", "rne.txt", "--source", "RNE", "--replace", "--yes")
    rne, operator = shop.json("optout", "sources")
    assert operator == {"source": "operator", "kind": "direct", "entries": 1, "last_import": None, "lines": None}
    assert (rne["source"], rne["kind"], rne["entries"], rne["lines"]) == ("RNE", "register", 2, 2)
    assert "RNE" in shop.run("optout", "sources")


def test_another_secret_is_refused_before_it_writes_in_vain(shop: Shop) -> None:
    shop.run("optout", "add", PHONE)
    shop.env["WINBACK_IDENTITY_SECRET"] = "another secret of the tests"
    assert "identity_secret isn't the one" in shop.run("optout", "check", PHONE, code=2)
    del shop.env["WINBACK_IDENTITY_SECRET"]
    assert shop.run("optout", "check", PHONE, code=2).startswith("identity_secret")
