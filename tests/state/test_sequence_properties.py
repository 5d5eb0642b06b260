"""Any order and any repetition of a session's events gives the same state of Redis."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.registry import KINDS
from detectors.sequence import ACTIVITY_RANKS, RANK_SPAN, occurred_ms, stage_of
from state.cipher import AesGcm
from state.connection import connect
from state.event_stream import StreamEntry
from state.keys import SESSION_TTL_MS
from state.scripts import Scripts
from state.session_record import StageVisit, stamped
from state.sessions import Change
from tests.support.cipher_support import KEY
from tests.support.dumps import dump_without_scores
from tests.support.durations import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import Event, apply, arrived, event
from tests.support.partitions import same_partition
from tests.support.redis_clients import FAKEREDIS, fake_client
from tests.support.states import FakeScripts, make_state
from tests.support.stored_state import lanes_of, now_ms, stored, ttl_ms
from worker.ingest.batch import collect
from worker.runtime import State

SESSIONS = (*same_partition("s-1", 2), "elsewhere")
# Few times, so that many events share one, some of them far apart.
MOMENTS_MS = (0, 0, 1, 2, 50, MINUTE_MS, 3 * MINUTE_MS, 2 * HOUR_MS, DAY_MS)
NAMES = st.sampled_from(["Jane", "Zoe", "", None])

customers = st.fixed_dictionaries(
    {},
    optional={
        "full_name": NAMES,
        "phone_number": st.sampled_from(["+573001234567", "3001234567", "+5511912345678", None]),
        "email": st.sampled_from(["a@example.com", "b@example.com", None]),
        "country_code": st.sampled_from(["CO", "BR", None]),
        "consent": st.fixed_dictionaries({}, optional={"call": st.sampled_from([True, False, None])}),
    },
)
lines = st.fixed_dictionaries({"name": NAMES}, optional={"price": st.just(2.5), "quantity": st.sampled_from([0, 1])})
items = st.lists(lines, max_size=2)
carts = st.none() | st.fixed_dictionaries({}, optional={"total_value": st.sampled_from([0, 2.5]), "items": items})
engagements = st.fixed_dictionaries(
    {}, optional={"reason": NAMES, "metadata": st.dictionaries(st.sampled_from("ab"), st.sampled_from([1, "x", None]))}
)


@st.composite
def events(draw: st.DrawFn) -> tuple[Event, int]:
    """Draw one event of one of the sessions, and its arrival (ms after the beginning)."""
    kinds = ["activity", "activity", "exit", "payment_declined", "payment_pending", "order_completed", "opt_out"]
    made = event(draw(st.sampled_from(kinds)), draw(st.sampled_from(SESSIONS)), stage=None)
    made |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "flow_stage": st.sampled_from(["cart_review", "checkout", "payment"]),
                "platform": st.sampled_from(["web", "ios"]),
                "customer": customers,
                "cart": carts,
                "engagement": engagements,
                "previous_session_id": st.sampled_from(SESSIONS),
            },
        )
    )
    moments = st.sampled_from(MOMENTS_MS)
    return made | {"occurred": draw(st.none() | moments), "expires": draw(st.none() | moments)}, draw(moments)


def entries(made: Sequence[tuple[Event, int]], begin_ms: int) -> list[StreamEntry]:
    """Return the drawn events in time: `begin_ms` must be far enough in the past for all of them."""
    found = []
    for drawn, after_ms in made:
        placed = dict(drawn)
        for name, to in (("occurred", "occurred_at"), ("expires", "expires_at")):
            offset = placed.pop(name)
            if offset is not None:
                placed[to] = (begin_ms + offset) / 1000
        found.append(arrived(placed, begin_ms + after_ms))
    return found


BOUNDED = settings(max_examples=100, deadline=None, derandomize=True)
batches = st.lists(events(), min_size=1, max_size=10)


@pytest.fixture(scope="module", params=[FAKEREDIS, "encrypted", "valkey"])
def merging(request: pytest.FixtureRequest) -> Iterator[State]:
    """A server that every example empties for itself."""
    if request.param == "fakeredis":
        client = fake_client()
        yield make_state(client, FakeScripts(client))
    else:
        client = connect(request.getfixturevalue("valkey").url)
        cipher = AesGcm([KEY]) if request.param == "encrypted" else None
        yield make_state(client, Scripts(client), cipher=cipher)
    client.flushall()
    client.close()


def result(state: State, *calls: Sequence[StreamEntry]) -> dict[str, object]:
    """Return the content of Redis after applying these batches in order on an empty server."""
    state.client.flushall()
    for batch in calls:
        apply(state, *batch)
    return dump_without_scores(state)


@given(st.data(), batches)
@settings(BOUNDED)
def test_any_order_and_repetition_ends_in_the_same_state(
    merging: State, data: st.DataObject, made: list[tuple[Event, int]]
) -> None:
    found = entries(made, now_ms(merging) - 2 * DAY_MS)
    expected = result(merging, found)
    repeated = found + data.draw(st.lists(st.sampled_from(found), max_size=5))
    assert result(merging, data.draw(st.permutations(repeated))) == expected


@given(st.data(), batches)
@settings(BOUNDED)
def test_applying_in_any_batches_and_twice_is_the_same_as_once(
    merging: State, data: st.DataObject, made: list[tuple[Event, int]]
) -> None:
    found = entries(made, now_ms(merging) - 2 * DAY_MS)
    expected = result(merging, found)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(found)), max_size=4)) | {0, len(found)})
    parts = [found[start:end] for start, end in pairwise(cuts)]
    assert result(merging, *parts, *parts) == expected


@given(batches)
@settings(BOUNDED)
def test_state_follows_the_greatest_events(merging: State, made: list[tuple[Event, int]]) -> None:
    begin_ms = now_ms(merging) - 2 * DAY_MS
    found = entries(made, begin_ms)
    result(merging, found)
    for session in SESSIONS:
        mine = [change for change in collect(found).changes if change.session_id == session]
        if mine:
            _compare(merging, session, mine)


def _compare(state: State, session: str, places: Sequence[Change]) -> None:
    is_now = stored(state, session)
    activity, signal, purchase = (
        max(getattr(place, sort) for place in places) for sort in ("activity", "signal", "purchase")
    )
    assert (is_now.activity, is_now.signal, is_now.purchase) == (activity, signal, purchase)
    assert _stage_visits(is_now.stage_visits) == _where_and_when([place.activity for place in places if place.activity])
    last = max(activity, signal, purchase)
    newest_ms = max((p.silent_since_ms for p in places if max(p.activity, p.signal, p.purchase) == last), default=0)
    silent_ms = max(newest_ms, *(p.seen_ms or p.silent_since_ms for p in places))
    bought = purchase > activity
    assert is_now.state == ("bought" if bought else "waiting")
    assert is_now.silent_since_ms == silent_ms
    assert is_now.stamp_of_cart == max((place.stamp for place in places if "cart" in place.fields), default=0)
    if bought or not activity:
        assert lanes_of(state, session) == {}
    else:
        stage, platform = stage_of(activity)
        kind = KINDS[signal % 100 - ACTIVITY_RANKS] if signal > activity else KINDS[0]
        ((lane, score),) = lanes_of(state, session).items()
        assert lane == f"{stage}.{platform}.{kind.name}"
        assert score <= silent_ms
    highest: dict[str, tuple[str, str]] = {}
    for change in places:
        for name, value in change.fields.items():
            # Of two simultaneous values either can win, but it must always be the same one.
            _, text = state.cipher.encrypt_fields(session, stamped(change.stamp, ""), {name: value})
            highest[name] = max(highest.get(name, ("", "")), (text, value))
    assert dict(is_now.fields) == {name: value for name, (_, value) in highest.items()}
    if is_now.silent_since_ms:
        left = ttl_ms(state, state.keys.session(session))
        assert left is not None
        assert now_ms(state) + left >= is_now.silent_since_ms + SESSION_TTL_MS


def _stage_visits(found: Iterable[StageVisit]) -> dict[int, tuple[int, int]]:
    return {stay.rank: (stay.first_ms, stay.last_ms) for stay in found}


def _where_and_when(activities: Sequence[int]) -> dict[int, tuple[int, int]]:
    at: dict[int, list[int]] = {}
    for activity in activities:
        at.setdefault(activity % RANK_SPAN, []).append(occurred_ms(activity))
    return {rank: (min(moments), max(moments)) for rank, moments in at.items()}


@given(st.data(), batches)
@settings(BOUNDED)
def test_buyer_and_opt_out_are_returned_in_any_event_order(
    merging: State, data: st.DataObject, made: list[tuple[Event, int]]
) -> None:
    found = data.draw(st.permutations(entries(made, now_ms(merging) - 2 * DAY_MS)))
    merging.client.flushall()
    changes = collect(found).changes
    marks = [mark for change in changes for mark in merging.sessions.apply([change])]
    told = {(mark.phone, mark.country, mark.purchase > 0, mark.opted_out) for mark in marks}
    for session in {change.session_id for change in changes}:
        is_now = stored(merging, session)
        bought, opted_out = is_now.purchase > 0, "opted_out" in is_now.fields
        phone, country = is_now.fields.get("phone", ""), is_now.fields.get("country", "")
        assert not bought or any(mark[:3] == (phone, country, True) for mark in told)
        assert not opted_out or any(mark[:2] == (phone, country) and mark[3] for mark in told)
