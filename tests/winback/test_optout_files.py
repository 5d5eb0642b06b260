"""`winback optout import` and `export`: files, registers, and nobody off the list in between."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from state.errors import StateError
from state.optouts import OPERATOR, Entries, Entry, OptOuts
from state.people import person_of
from tests.support.helpers import DAY_MS, JANE, SECRET, now_ms
from tests.support.operating import Shop, shop_on
from worker.monitoring.checks.registers import findings
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
PHONE = JANE["phone_number"]
JANES = person_of(PHONE, SECRET)
JANES_MAIL = person_of("jane.doe@example.com", SECRET)
JOHNS = person_of("+573001234568", SECRET)
REPLACE = ("--source", "RNE", "--replace", "--yes")


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def opt_outs(shop: Shop) -> OptOuts:
    return OptOuts(shop.state.scripts, shop.state.keys)


def numbers(start: int, stop: int) -> str:
    return "".join(f"+57300{number:07d}\n" for number in range(start, stop))


def person(number: int) -> str:
    return person_of(f"+57300{number:07d}", SECRET)


def replace(shop: Shop, text: str, *more: str, code: int = 0) -> str:
    Path("rne.txt").write_text(text)
    return shop.run("optout", "import", "rne.txt", *REPLACE, *more, code=code)


@pytest.mark.parametrize(
    "text",
    [
        "+573001234567\n\n 300 123 4568 \nnobody\n",
        '\ufeffname;Phone;x\nJane;+573001234567;1\n;"300 123 4568";\n;nobody;\n',
        "phone,country\n+573001234567,\n300 123 4568,CO\nnobody,CO\n",
        "Teléfono\tPaís\n+573001234567\t\n300 123 4568\tColombia\nnobody\tCO\n",
        f"{JANES}\n{JOHNS}\nnobody\n",
    ],
)
def test_a_file_is_imported_and_bad_lines_are_named(shop: Shop, text: str) -> None:
    Path("list.csv").write_text(text)
    bad = 1 + text.splitlines().index(next(line for line in text.splitlines() if "nobody" in line))
    shown = shop.run("optout", "import", "list.csv", "--country", "CO", "--yes", code=1)
    assert f"line {bad}: isn't a valid phone number" in shown
    assert "2 entries imported; 2 new on the list; 1 line has a problem" in shown
    assert "nobody" not in shown
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
    Path("list.csv").write_text('phone;email\n+573001234567;nobody\n"unbalanced;x\n')
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
    assert not shop.state.people.facts(JANES).opted_out
    assert "2 entries imported; 1 new" in shop.run("optout", "import", "-", "--yes", typed=f"{PHONE}\n{PHONE}\n")
    shown = shop.run("optout", "import", "-", typed=f"{PHONE}\n", code=2)
    assert shown == "stdin is the file, so it can't answer a question: add --yes"


def test_a_list_of_thousands_is_imported(shop: Shop) -> None:
    Path("list.txt").write_text(numbers(0, 2500))
    assert "2,500 entries imported" in shop.run("optout", "import", "list.txt", "--yes")
    assert len(shop.json("optout", "export")) == 2500


def test_a_file_without_a_known_column_is_refused(shop: Shop) -> None:
    Path("list.csv").write_text("name,address\nJane,here\n")
    said = "line 1: none of the columns is called phone or email"
    assert shop.run("optout", "import", "list.csv", code=2).startswith(said)


# Registers


def test_a_replaced_register_holds_exactly_its_file(shop: Shop) -> None:
    shop.run("optout", "add", "+573000000000")
    assert "10 entries imported under RNE; 9 new on the list; 0 removed" in replace(shop, numbers(0, 10))
    assert "10 entries imported under RNE; 5 new on the list; 5 removed" in replace(shop, numbers(5, 15))
    on = opt_outs(shop).entries([person(number) for number in range(15)])
    assert [sorted(entries) for entries in on] == [["operator"], *[[]] * 4, *[["RNE"]] * 10]
    register = opt_outs(shop).registers()["RNE"]
    assert register.count == 10
    assert now_ms(shop.state) - register.at_ms < 60_000


def test_other_registers_stay_when_one_is_replaced(shop: Shop) -> None:
    opt_outs(shop).add([JANES], "REPEP", 1000)
    replace(shop, numbers(0, 2))
    replace(shop, numbers(2, 4))
    assert opt_outs(shop).entries([JANES]) == [{"REPEP": 1000}]


def test_nobody_on_both_lists_is_off_in_between(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(shop, numbers(0, 2500))
    both = [person(number) for number in range(500, 2500)]
    run: Any = shop.state.scripts.__class__.run_many
    off: list[list[Entries]] = []

    def watched(scripts: object, calls: Iterable[object]) -> object:
        done = run(scripts, calls)
        off.append([entries for entries in opt_outs(shop).entries(both) if not entries])
        return done

    monkeypatch.setattr(type(shop.state.scripts), "run_many", watched)
    assert "500 removed" in replace(shop, numbers(500, 3000))
    assert off
    assert not any(off)


def test_an_interrupted_import_leaves_too_many_not_too_few(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(shop, numbers(0, 10))
    with monkeypatch.context() as patched:
        patched.setattr(OptOuts, "strike", lambda *_: (_ for _ in ()).throw(StateError()))
        replace(shop, numbers(5, 15), code=2)
    assert all(opt_outs(shop).entries([person(number) for number in range(15)]))
    replace(shop, numbers(5, 15))
    assert [bool(on) for on in opt_outs(shop).entries([person(4), person(5)])] == [False, True]


def test_a_clock_that_went_back_still_replaces(shop: Shop) -> None:
    opt_outs(shop).add_each([Entry(JOHNS, "RNE", now_ms(shop.state) + DAY_MS)])
    replace(shop, numbers(0, 3))
    found = opt_outs(shop).registers()["RNE"]
    opt_outs(shop).record("RNE", type(found)(found.at_ms + DAY_MS, found.count))
    replace(shop, numbers(0, 3))
    assert opt_outs(shop).registers()["RNE"].at_ms > now_ms(shop.state)
    assert sorted(opt_outs(shop)) == sorted(person(number) for number in range(3))


@pytest.mark.parametrize("text", ["", "\n\n", "nobody\nnobody either\n+573000000001\n"])
def test_an_empty_or_unreadable_file_replaces_nothing(shop: Shop, text: str) -> None:
    replace(shop, numbers(0, 10))
    shown = replace(shop, text, code=2)
    assert shown.startswith("RNE was not replaced: ")
    assert shown.endswith("If that is right, add --allow-empty")
    assert len(list(opt_outs(shop))) == 10
    replace(shop, text, "--allow-empty", code=1 if "nobody" in text else 0)
    assert len(list(opt_outs(shop))) == text.count("+57")
    assert ("RNE" in opt_outs(shop).registers()) == ("+57" in text)


def test_a_file_that_shrinks_by_half_is_asked_about(shop: Shop) -> None:
    replace(shop, numbers(0, 10))
    Path("rne.txt").write_text(numbers(0, 4))
    arguments = ("optout", "import", "rne.txt", "--source", "RNE", "--replace")
    shown = shop.run(*arguments, typed="n\n", code=1)
    assert "The file has 4 entries, RNE had 10. Remove the others?" in shown
    assert len(list(opt_outs(shop))) == 10
    assert "6 removed" in shop.run(*arguments, typed="y\n")


def test_a_source_is_the_same_in_any_case(shop: Shop) -> None:
    replace(shop, numbers(0, 3))
    Path("more.txt").write_text(numbers(3, 5))
    assert "under RNE" in shop.run("optout", "import", "more.txt", "--source", "rne", "--yes")
    assert list(opt_outs(shop).registers()) == ["RNE"]
    assert opt_outs(shop).registers()["RNE"].count == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--replace",), "--replace: name the register that the file replaces: --source RNE"),
        (("--replace", "--source", "operator"), "--replace: 'operator' holds what people said themselves"),
        (("--source", "linked"), "--source: 'linked' is what Winback derives itself"),
        (("--source", "a b"), "--source: 'a b' is not a name"),
        (("--source", ""), "--source: '' is not a name"),
        (("--country", "Nowhere"), "--country: 'Nowhere' is not a country"),
    ],
)
def test_a_mistake_is_one_line(shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    Path("list.txt").write_text(f"{PHONE}\n")
    shown = shop.run("optout", "import", "list.txt", "--yes", *arguments, code=2)
    assert shown.startswith(said)
    assert len(shown.splitlines()) == 1


def test_a_register_that_ages_is_warned_about(shop: Shop) -> None:
    opt_outs(shop).add_each([])
    replace(shop, numbers(0, 3))
    at_ms = opt_outs(shop).registers()["RNE"].at_ms
    assert findings({}, at_ms) == []
    (fresh,) = findings(opt_outs(shop).registers(), at_ms + 30 * DAY_MS)
    assert (fresh.mark, fresh.text) == ("ok", "RNE has 3 entries, imported 30 d ago")
    (old,) = findings(opt_outs(shop).registers(), at_ms + 31 * DAY_MS)
    assert (old.mark, old.text) == (
        "warn",
        "RNE has 3 entries, imported 31 d ago: people who registered since are called",
    )
    assert old.hint == "winback optout import --source RNE --replace FILE"


# Carrying the list across


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
