"""The opt-out list as a whole, by source."""

from collections.abc import Iterator

import pytest

from state.optouts import OPERATOR, SHOP, OptOutEntry, OptOuts, Register
from state.people import person_of
from tests.support.events import JANE
from tests.support.outreaches import abandon
from tests.support.people import link
from tests.support.states import CONTACT_REF, LIMITS, SECRET
from tests.support.stored_state import now_ms
from worker.runtime import State

JANES = person_of(JANE["phone_number"], SECRET)
JANES_MAIL = person_of("jane.doe@example.com", SECRET)
OTHERS = person_of("+573001234568", SECRET)
NOBODYS = "00" * 32


@pytest.fixture
def opt_outs(state: State) -> OptOuts:
    return OptOuts(state.scripts, state.keys)


def test_a_person_is_opted_out_until_the_last_entry_goes(state: State, opt_outs: OptOuts) -> None:
    assert opt_outs.add([JANES, OTHERS]) == [True, True]
    assert opt_outs.add([JANES], "RNE") == [False]
    assert state.people.person_facts(JANES).opted_out
    assert opt_outs.remove([JANES, NOBODYS]) == [1, 0]
    assert state.people.person_facts(JANES).opted_out
    assert opt_outs.remove([JANES], ["RNE"]) == [1]
    assert not state.people.person_facts(JANES).opted_out
    assert opt_outs.entries([JANES])[0] == {}


def test_an_entry_keeps_its_first_time_and_its_source(state: State, opt_outs: OptOuts) -> None:
    state.people.opt_out(JANES)
    opt_outs.add([JANES], at_ms=1000)
    opt_outs.add([JANES], at_ms=2000)
    opt_outs.add([JANES], "RNE", 3000)
    found = dict(opt_outs.entries([JANES])[0])
    assert now_ms(state) - found.pop(SHOP) < 60_000
    assert found == {OPERATOR: 1000, "RNE": 3000}


def test_everyone_is_found_however_they_got_there(state: State, opt_outs: OptOuts) -> None:
    abandon(state)
    state.people.reserve([JANES], "07-0123456789abcdef", 1, CONTACT_REF, LIMITS)
    state.people.opt_out(OTHERS)
    opt_outs.add([JANES], at_ms=1000)
    assert sorted(opt_outs) == sorted([JANES, OTHERS])
    found = dict(opt_outs.everyone())
    assert found.keys() == {JANES, OTHERS}
    assert found[JANES] == {OPERATOR: 1000}


def test_an_empty_list_is_empty(opt_outs: OptOuts) -> None:
    assert list(opt_outs) == []
    assert list(opt_outs.everyone()) == []
    assert opt_outs.add([]) == opt_outs.remove([]) == []
    assert opt_outs.entries([]) == []
    assert opt_outs.registers() == {}


def test_strike_removes_only_older_entries_of_its_source(state: State) -> None:
    opt_outs = OptOuts(state.scripts, state.keys)
    opt_outs.add_each(
        [OptOutEntry(JANES, "RNE", 1000), OptOutEntry(OTHERS, "RNE", 2000), OptOutEntry(OTHERS, "REPEP", 1000)]
    )
    opt_outs.add([JANES], at_ms=500)
    assert sum(opt_outs.remove_older("RNE", 2000)) == 1
    assert opt_outs.entries([JANES, OTHERS]) == [{OPERATOR: 500}, {"REPEP": 1000, "RNE": 2000}]
    assert sum(opt_outs.remove_older("RNE", 3000)) == 1
    assert sum(opt_outs.remove_older("RNE", 3000)) == 0
    assert opt_outs.entries([JANES, OTHERS]) == [{OPERATOR: 500}, {"REPEP": 1000}]


def test_a_register_is_recorded_until_it_is_empty(opt_outs: OptOuts) -> None:
    opt_outs.record("RNE", Register(1000, 5))
    opt_outs.record("REPEP", Register(2000, 1))
    assert opt_outs.registers() == {"REPEP": Register(2000, 1), "RNE": Register(1000, 5)}
    opt_outs.record("RNE", Register(3000, 0))
    assert opt_outs.registers() == {"REPEP": Register(2000, 1)}


def test_an_opt_out_counts_for_what_was_seen_together(state: State, opt_outs: OptOuts) -> None:
    link(state, JANES, JANES_MAIL)
    opt_outs.add([JANES], at_ms=1000)
    assert opt_outs.entries([JANES, JANES_MAIL]) == [{OPERATOR: 1000}, {"linked": 1000}]
    assert opt_outs.remove([JANES_MAIL]) == [1]
    assert opt_outs.entries([JANES, JANES_MAIL]) == [{}, {}]


def test_a_register_counts_for_its_number_only(state: State, opt_outs: OptOuts) -> None:
    link(state, JANES, JANES_MAIL)
    opt_outs.add([JANES], "RNE", 1000)
    assert opt_outs.entries([JANES, JANES_MAIL]) == [{"RNE": 1000}, {}]
    opt_outs.add([JANES_MAIL], "RNE", 1000)
    opt_outs.remove([JANES], ["RNE"])
    assert opt_outs.entries([JANES, JANES_MAIL]) == [{}, {"RNE": 1000}]


def test_an_opt_out_of_a_shared_number_goes_no_further(state: State, opt_outs: OptOuts) -> None:
    family = [person_of(f"{name}@example.com", SECRET) for name in "abcdefghijk"]
    link(state, JANES, *family)
    opt_outs.add([JANES])
    assert [bool(entries) for entries in opt_outs.entries([JANES, *family])] == [True] + [False] * 11


def test_a_list_of_an_earlier_version_can_still_be_read(real_state: State) -> None:
    """Only to export it: otherwise a namespace with such data is refused."""
    opt_outs = OptOuts(real_state.scripts, real_state.keys)
    for key in earlier_list(real_state):
        real_state.client.set(key, 1)
    assert dict(opt_outs.everyone()) == {JANES: {OPERATOR: 0}}


def earlier_list(state: State) -> Iterator[str]:
    yield f"{state.keys.person(JANES)}opted_out"
