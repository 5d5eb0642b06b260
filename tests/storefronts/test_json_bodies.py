import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefronts.json_bodies import NO_JSON, NO_OBJECT, Item, batch, elements, listed, load, single

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
DEEP = "[" * 5000 + "]" * 5000


@given(st.lists(JSON, min_size=1))
def test_elements_are_the_items_of_a_list(items: list[object]) -> None:
    raw = json.dumps(items).encode()
    assert [json.loads(part) for part in elements(raw, 1)] == items


@given(st.binary())
def test_elements_of_anything_end(raw: bytes) -> None:
    assert sum(map(len, elements(raw, 0))) <= len(raw)


@pytest.mark.parametrize("bad", ["nul", '{"a": 1,}', DEEP, '{"a": 1 1}', "\ufffe"])
def test_unreadable_item_of_a_batch_costs_only_itself(bad: str) -> None:
    raw = f'{{"sentAt": "x", "batch": [{{"a": "],["}}, {bad}, {{"b": 2}}], "writeKey": "k"}}'.encode()
    found = batch(raw, "batch")
    assert found is not None
    assert found.items == [Item({"a": "],["}), Item(None, NO_JSON), Item({"b": 2})]
    assert {**found.outer, "batch": None} == {"sentAt": "x", "batch": None, "writeKey": "k"}


def test_list_is_found_under_the_outermost_key_only() -> None:
    raw = b'{"x": {"batch": [1]}, "y": "\\"batch\\": [2]", "batch" : [3, nul]}'
    found = batch(raw, "batch")
    assert found is not None
    assert found.items == [Item(3), Item(None, NO_JSON)]


@pytest.mark.parametrize("raw", [b"", b"7", b"[]", b"{}", b'{"batch": 7}', b'{"batch": {}}', b'{"batch": ', b"\xff"])
def test_body_without_the_list_is_no_batch(raw: bytes) -> None:
    assert batch(raw, "batch") is None


def test_unreadable_item_of_a_list_costs_only_itself() -> None:
    assert listed(b'[{"a": 1}, nul, 7]') == [Item({"a": 1}), Item(None, NO_JSON), Item(7)]
    assert listed(b'{"a": 1}') == [Item({"a": 1})]


@pytest.mark.parametrize(("raw", "problem"), [(b"[]", NO_OBJECT), (b"7", NO_OBJECT), (b"", NO_JSON), (b"{", NO_JSON)])
def test_body_that_is_no_object_has_a_problem(raw: bytes, problem: str) -> None:
    assert single(raw).problem == problem


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'"\\ud83d"', "\ufffd"),
        (b'"\xff"', "\ufffd"),
        (b'\xef\xbb\xbf"a"', "a"),
        (b'"a\nb"', "a b"),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"1e999", math.inf),
    ],
)
def test_text_that_is_not_unicode_is_replaced(raw: bytes, expected: object) -> None:
    assert load(raw) == expected


@pytest.mark.parametrize(
    "raw", [b'"' * 200_000, b'\\"' * 200_000, b'["\\' * 200_000, b"[" * 500_000, b'{"batch":[' * 50_000]
)
def test_hostile_body_is_split_in_linear_time(raw: bytes) -> None:
    start = time.process_time()
    listed(b"[" + raw)
    batch(raw, "batch")
    assert time.process_time() - start < 5
