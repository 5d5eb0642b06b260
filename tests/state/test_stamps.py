"""Stamps: prefixes of stored fields that make the higher of two texts the later event's."""

import json

from hypothesis import given
from hypothesis import strategies as st

from state.session_record import RANK_SPAN, STAMP_WIDTH, stamped

YEAR_3000_MS = 32_503_680_000_000
SEQUENCES = st.integers(0, YEAR_3000_MS * RANK_SPAN)


@given(SEQUENCES, SEQUENCES, st.text(max_size=3), st.text(max_size=3))
def test_the_text_of_the_later_event_is_the_higher_one(one: int, other: int, text: str, other_text: str) -> None:
    # As the server compares: byte by byte.
    if one < other:
        assert stamped(one, text).encode() < stamped(other, other_text).encode()


@given(SEQUENCES)
def test_stamp_has_eight_json_safe_characters(sequence: int) -> None:
    stamp = stamped(sequence, "")
    assert len(stamp) == STAMP_WIDTH
    assert json.dumps(stamp) == f'"{stamp}"'
    assert "~" not in stamp
