"""For any history under any spelling, an erasure leaves nothing of the person and everything of the others."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.lanes import LANES
from state.erasure import Erasure
from state.optouts import OptOuts
from tasks.erasure.data_subject import DataSubject
from tasks.erasure.forget import Forget
from tasks.erasure.spellings import Spellings
from tests.support.dumps import dump
from tests.support.durations import MINUTE_MS
from tests.support.events import event, happen
from tests.support.ingest_support import publish
from tests.support.people import EMAIL, JANES, JANES_MAIL, JOHN, PHONE
from tests.support.states import SECRET
from tests.winback.test_spellings import spelled_addresses, spelled_numbers
from winback.operations.person_export import export
from worker.runtime import State

pytestmark = pytest.mark.xdist_group("valkey")
HERS = Spellings([PHONE, EMAIL])
KEPT = ("opted_out", "consent", "reserved", "forgotten")
NUMBERS = spelled_numbers().filter(lambda text: text.startswith("+") or text.isascii())


@st.composite
def visits(draw: st.DrawFn) -> tuple[dict[str, Any], bool]:
    """Draw one event of Jane or of John, and whether ingest has applied it."""
    session = draw(st.sampled_from("abcd"))
    kind = draw(st.sampled_from(["activity", "activity", "order_completed", "opt_out"]))
    if draw(st.booleans()):
        return event(kind, f"john-{session}", customer=JOHN), draw(st.booleans())
    customer: dict[str, Any] = {"full_name": "Jane", "country_code": "CO"}
    named = draw(st.sampled_from(["phone", "email", "both"]))
    if named != "email":
        customer["phone_number"] = draw(NUMBERS)
    if named != "phone":
        customer["email"] = draw(spelled_addresses().filter(lambda text: "%" not in text))
    if draw(st.booleans()):
        customer["consent"] = {"call": draw(st.booleans())}
    return event(kind, f"jane-{session}", customer=customer), draw(st.booleans())


@given(st.lists(visits(), max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_nothing_of_the_person_and_all_of_others_is_left(
    real_state: State, made: list[tuple[dict[str, Any], bool]]
) -> None:
    state = real_state
    state.client.flushall()
    state.streams.first.create_group()
    for one, is_applied in made:
        if is_applied:
            happen(state, one, ago_ms=MINUTE_MS)
        else:
            publish(state, one)
    erasure = Erasure(state.scripts, state.keys, [lane.name for lane in LANES])
    before = johns(state)
    exported = export(erasure, data_subject(lenient=False), lambda *_: None, follow=True)
    assert exported.missed == ()
    forget = Forget(erasure, OptOuts(state.scripts, state.keys), lambda *_: None)
    who = data_subject(lenient=True)
    done = forget.forget(who, forget.survey(who))
    assert done.left == ()
    assert johns(state) == before
    for key, content in dump(state).items():
        assert not HERS.is_in(repr(content)), key
        # Only the tombstone of her session is left, and the data that protects her.
        assert "jane-" not in repr(content) or key.startswith("winback:{control}"), key
        assert not any(person in key for person in (JANES, JANES_MAIL)) or key.endswith(KEPT), key


def data_subject(*, lenient: bool) -> DataSubject:
    return DataSubject([PHONE, EMAIL], (), SECRET, lenient=lenient)


def johns(state: State) -> list[tuple[str, object]]:
    """Return sessions and unread events of John."""
    client: Any = state.client
    sessions = [(key, content) for key, content in dump(state).items() if ":session:john-" in key]
    return [
        *sessions,
        *((str(entry), text) for entry, text in client.xrange(state.keys.events) if b"john-" in text[b"event"]),
    ]
