"""The opt-out list as a whole."""

from state.optouts import OptOuts
from state.people import person_of
from tests.helpers import JANE, LEAD, LIMITS, SECRET, abandon
from worker.runtime import State

JANES = person_of(JANE["phone_number"], SECRET)
OTHERS = person_of("+573001234568", SECRET)


def test_who_is_put_on_the_list_has_opted_out_until_they_are_taken_off(state: State) -> None:
    opt_outs = OptOuts(state.scripts, state.keys)
    assert opt_outs.add([JANES, OTHERS]) == 2
    assert opt_outs.add([JANES]) == 0
    assert state.people.facts(JANES).opted_out
    assert opt_outs.has([JANES, "00" * 32]) == [True, False]
    assert opt_outs.remove([JANES, "00" * 32]) == 1
    assert not state.people.facts(JANES).opted_out
    assert opt_outs.has([JANES, OTHERS]) == [False, True]


def test_everybody_on_the_list_is_found_however_they_got_there(state: State) -> None:
    abandon(state)
    state.people.reserve([JANES], "07-0123456789abcdef", 1, LEAD, LIMITS)
    state.people.opt_out(OTHERS)
    opt_outs = OptOuts(state.scripts, state.keys)
    opt_outs.add([JANES])
    assert sorted(opt_outs) == sorted([JANES, OTHERS])


def test_an_empty_list_is_empty(state: State) -> None:
    opt_outs = OptOuts(state.scripts, state.keys)
    assert list(opt_outs) == []
    assert opt_outs.add([]) == opt_outs.remove([]) == 0
    assert opt_outs.has([]) == []
