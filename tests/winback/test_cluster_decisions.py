"""An operator's searches and decisions on a cluster: scans reach every node, and each script uses one slot."""

import pytest

from detectors.lanes import LANES
from state.decisions import STATES, Operator
from state.erasure import Erasure
from state.optouts import OptOuts
from state.people import person_of
from tasks.erasure.data_subject import DataSubject
from tasks.erasure.forget import Forget
from tests.state.test_cluster import cluster, state
from tests.support.deciding import dead, unknown
from tests.support.events import JANE, event
from tests.support.ingest_support import publish, waiting
from tests.support.outreaches import abandon, sending
from tests.support.states import SECRET
from tests.support.stored_state import counters, record, stored
from worker.runtime import State

__all__ = ["cluster", "state"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


def test_a_person_decides(state: State) -> None:
    decides = Operator(state.scripts, state.keys)
    refused, given_up = dead(state, "a"), dead(state, "b")
    repeated, arrived = unknown(state, "c"), unknown(state, "d")
    waits = abandon(state, "e")
    assert {found.session for found in decides.find(STATES)} == set("abcde")
    assert {found.session for found in decides.find(["dead"])} == {"a", "b"}
    assert [found.outreach for found in decides.of_session("e")] == [waits]
    verdicts = [
        *decides.retry_dead([refused.outreach]),
        *decides.drop([given_up.outreach]),
        *decides.retry_unknown([repeated.outreach]),
        *decides.resolve_sent([arrived.outreach]),
        *decides.expire([waits]),
    ]
    assert all(verdict.done for verdict in verdicts)
    assert counters(state) == {"dead.http_400": 1, "sent.by_operator": 1, "expired.by_operator": 1}


def test_a_person_is_forgotten(state: State) -> None:
    opt_outs = OptOuts(state.scripts, state.keys)
    other = person_of("+573001234568", SECRET)
    assert opt_outs.add([other]) == [True]
    state.streams.first.create_group()
    publish(state, event("opt_out", None, None, customer=JANE), event(session="c", customer=JANE))
    held = sending(state, "a")
    dead(state, "b")
    erasure = Erasure(state.scripts, state.keys, [lane.name for lane in LANES])
    forget, who = (
        Forget(erasure, opt_outs, lambda _what, _number: None),
        DataSubject([JANE["phone_number"]], (), SECRET, lenient=True),
    )
    done = forget.forget(who, forget.survey(who))
    assert (done.left, done.entries, done.opted_out) == ((), 2, True)
    assert (done.erased.sessions, done.erased.outreaches, done.erased.skeletons) == (2, 1, 1)
    assert waiting(state) == 0
    assert {stored(state, session).state for session in "abc"} == {"forgotten"}
    assert state.outbox.settle(held, "retry", reason="http_503", line="") == "cancelled"
    assert record(state, held.outreach)["session"] == ""
    assert sorted(opt_outs) == sorted([other, person_of(JANE["phone_number"], SECRET)])
