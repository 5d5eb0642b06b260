"""`winback optout import --replace`: registers replaced by their files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from state.errors import StateError
from state.optouts import Entries, OptOutEntry, OptOuts
from state.people import person_of
from tests.support.decision_support import Shop
from tests.support.durations import DAY_MS
from tests.support.optout_lists import JANES, JOHNS, PHONE, numbers, opt_outs, replace, shop
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from worker.monitoring.checks.registers import findings

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


def person(number: int) -> str:
    return person_of(f"+57300{number:07d}", SECRET)


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


def test_person_on_both_lists_stays_listed_during_a_replace(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
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
        patched.setattr(OptOuts, "remove_older", lambda *_: (_ for _ in ()).throw(StateError()))
        replace(shop, numbers(5, 15), code=2)
    assert all(opt_outs(shop).entries([person(number) for number in range(15)]))
    replace(shop, numbers(5, 15))
    assert [bool(on) for on in opt_outs(shop).entries([person(4), person(5)])] == [False, True]


def test_a_clock_that_went_back_still_replaces(shop: Shop) -> None:
    opt_outs(shop).add_each([OptOutEntry(JOHNS, "RNE", now_ms(shop.state) + DAY_MS)])
    replace(shop, numbers(0, 3))
    found = opt_outs(shop).registers()["RNE"]
    opt_outs(shop).record("RNE", type(found)(found.at_ms + DAY_MS, found.count))
    replace(shop, numbers(0, 3))
    assert opt_outs(shop).registers()["RNE"].at_ms > now_ms(shop.state)
    assert sorted(opt_outs(shop)) == sorted(person(number) for number in range(3))


@pytest.mark.parametrize("text", ["", "\n\n", "unknown\nunknown, too\n+573000000001\n"])
def test_an_empty_or_unreadable_file_replaces_nothing(shop: Shop, text: str) -> None:
    replace(shop, numbers(0, 10))
    shown = replace(shop, text, code=2)
    assert shown.startswith("RNE was not replaced: ")
    assert shown.endswith("To replace it anyway, add --allow-empty")
    assert len(list(opt_outs(shop))) == 10
    replace(shop, text, "--allow-empty", code=1 if "unknown" in text else 0)
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
        (("--replace", "--source", "operator"), "--replace: 'operator' holds people's own opt-outs"),
        (("--source", "linked"), "--source: 'linked' is reserved for Winback's own entries"),
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
