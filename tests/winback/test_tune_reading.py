"""Lines of recordings: the fast reader gives the same as the reader of all forms."""

import json
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.settings import DetectionSettings
from tasks.policy.settings import ContactSettings
from tests.support.recordings import ordered, seen
from thresholds.observed import Observed
from winback.tuning.eligibility import Shoppers
from winback.tuning.plain_lines import read_plain
from winback.tuning.reading import Reader
from winback.tuning.said import EMPTIED, FILLED, Said

MOMENTS = [
    *("2026-03-02T12:00:00+05:00", "2026-03-02 12:00:00Z", "2026-03-02T12:00:00", "1970-01-01T00:00:00Z"),
    *("2026-03-02T12:00:00.123456Z", "20260302T120000Z", 1772452800),
]
READER = Reader(DetectionSettings(), with_values=False)
TEXTS = st.sampled_from(
    ["", " ", "x", " Jane Doe", "Jane Doe", "+573001234567", "3001234567", "CO", "Colombia", "a@b.co", "x" * 300, "0"]
)
ODD = st.one_of(
    TEXTS, st.none(), st.booleans(), st.sampled_from([0, 1, -1, 2.5, 1e13, 10**30, [], {}, ["x"], {"a": 1}])
)
CUSTOMER = st.dictionaries(
    st.sampled_from(["full_name", "phone_number", "email", "country_code", "language", "consent", "telefono"]),
    st.one_of(TEXTS, TEXTS, ODD),
)
ITEM = st.dictionaries(
    st.sampled_from(["name", "sku", "quantity", "price", "color"]), st.one_of(st.integers(-1, 2), ODD)
)
CART = st.dictionaries(
    st.sampled_from(["total_value", "currency", "items", "total"]),
    st.one_of(st.lists(ITEM, max_size=3), st.sampled_from([0, 0.0, 1, 9.5]), ODD),
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "session_id": st.one_of(st.sampled_from(["s1", "h/1", "undefined", 17, "x" * 200, "c 1"]), ODD),
        "type": st.one_of(st.sampled_from(["activity", "Activity", "exit", "order_completed", "opt_out"]), ODD),
        "occurred_at": st.one_of(
            st.sampled_from(MOMENTS),
            ODD,
        ),
        "flow_stage": st.one_of(st.sampled_from(["payment", "Checkout"]), ODD),
        "platform": st.one_of(st.sampled_from(["ios", "WEB"]), ODD),
        "customer": st.one_of(CUSTOMER, ODD),
        "cart": st.one_of(CART, ODD),
        "engagement": st.just({"metadata": {"bot": "true"}}),
        "previous_session_id": TEXTS,
        "currency": TEXTS,
    },
)


@given(CHANGES, st.sampled_from([None, "session_id", "type", "occurred_at", "flow_stage", "platform"]))
@example({"customer": {"full_name": "Jane Doe", "phone_number": "3001234567"}, "cart": {"items": []}}, None)
@example({"customer": {}, "cart": {}}, None)
def test_usual_lines_are_read_as_all_others_are(changes: dict[str, object], missing: str | None) -> None:
    event = {**seen("s1", 0), **changes}
    event.pop(missing or "", None)
    line = json.dumps(event).encode()
    fast = read_plain(line)
    assert fast is None or fast == READER.read_any(line)


@given(st.binary(max_size=3), st.integers(0, 200), st.integers(0, 3))
def test_damaged_lines_are_read_as_all_others_are(text: bytes, place: int, cut: int) -> None:
    line = json.dumps(seen("s1", 0, customer={"full_name": "Jane Doe"}, cart={"total_value": 1})).encode()
    line = line[:place] + text + line[place + cut :]
    fast = read_plain(line)
    assert fast is None or fast == READER.read_any(line)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, None),
        ({"cart": {"total_value": 5}}, Said(cart=FILLED)),
        ({"cart": {"total_value": 5, "items": [{"quantity": 0}]}}, Said(cart=EMPTIED)),
        ({"customer": {"full_name": "Jane Doe", "email": "j@x.co"}}, Said(named=True, email=True)),
    ],
)
def test_usual_lines_are_read_fast(more: dict[str, object], said: Said | None) -> None:
    found = read_plain(json.dumps({**seen("s1", 0), **more}).encode())
    assert found is not None
    assert found.said == said


def kind_of(event: dict[str, object], exit_after: timedelta | None = None) -> Observed:
    found = Reader(DetectionSettings(exit=exit_after, pending=None), with_values=False).read(json.dumps(event).encode())
    assert isinstance(found, Observed)
    return found


def test_exit_is_tuned_only_while_it_has_no_threshold_of_its_own() -> None:
    leaving = {**seen("s1", 0), "type": "exit"}
    assert kind_of(leaving).is_tuned
    assert not kind_of(leaving, exit_after=timedelta(minutes=2)).is_tuned
    assert not kind_of({**seen("s1", 0), "type": "payment_declined"}).is_tuned
    assert not kind_of({**seen("s1", 0), "type": "payment_pending"}).is_tuned


def test_order_names_its_people_and_further_sessions() -> None:
    order = ordered("s1", 0, cart_ids=["c-2"], customer={"phone_number": "300 123 4567", "country_code": "CO"})
    found, jane = kind_of(order), Shoppers(ContactSettings())
    known = jane.learned(None, Said(phone="+573001234567"), is_late=False)
    assert found.is_order
    assert found.also == ("c-2",)
    assert jane.person(known) in found.people


def test_late_event_only_adds_what_is_not_known() -> None:
    shoppers = Shoppers(ContactSettings())
    known = shoppers.learned(None, Said(named=True, cart=FILLED), is_late=False)
    known = shoppers.learned(known, Said(named=False, country="CO", cart=EMPTIED), is_late=True)
    assert known.said == Said(named=True, country="CO", cart=FILLED)
