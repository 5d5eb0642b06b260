"""Searching for a number or an address in any text: all of its spellings, and no other person's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.erasure.spellings import Spellings

PHONE, EMAIL = "+573001234567", "jane.doe@example.com"
HERS = Spellings([PHONE, EMAIL])
SEPARATORS = st.sampled_from(["", " ", "-", ".", "  "])
BEFORE = st.sampled_from(["", '"', "call ", "{'a': '", "tel:", "mailto:", "(", "\n", "é "])
AFTER = st.sampled_from(["", '"', " or later", "'}", ")", ",", "\n", "; é", "."])
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@st.composite
def spelled_numbers(draw: st.DrawFn) -> str:
    """The number as people write it: with or without its code, with signs in between, in any script."""
    prefix = draw(st.sampled_from(["+57", "57", "", "(+57) ", "0", "+57 (0)", "0057"]))
    groups = draw(st.sampled_from([("300", "1234567"), ("300", "123", "4567"), ("3001234567",)]))
    text = f"{prefix}{draw(SEPARATORS)}{draw(SEPARATORS).join(groups)}"
    return text.translate(ARABIC) if draw(st.booleans()) else text


@st.composite
def spelled_addresses(draw: st.DrawFn) -> str:
    """The address with any letters in upper case."""
    text = "".join(draw(st.sampled_from([char, char.upper()])) for char in EMAIL)
    return text.replace("@", draw(st.sampled_from(["@", "%40"])))


@given(spelled_numbers() | spelled_addresses(), BEFORE, AFTER, st.booleans())
def test_it_is_found_in_every_spelling(text: str, before: str, after: str, escaped: bool) -> None:  # noqa: FBT001 - given
    written = f"{before}{text}{after}"
    assert HERS.is_in(json.dumps(written) if escaped else written)


@given(st.from_regex(r"\+?[1-9][0-9]{6,14}", fullmatch=True) | st.emails())
def test_others_are_not_found(text: str) -> None:
    if "3001234567" not in text and text.casefold() != EMAIL:
        assert not HERS.is_in(text)


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    HERS.is_in(text)
    HERS.may_be(text, text)


@pytest.mark.parametrize(
    "text",
    [
        "130012345671",
        "3001234568",
        "+57 300 123 456",
        "jane.doe@example.com.br",
        "xjane.doe@example.com",
        "1796041744651",
    ],
)
def test_a_part_of_something_else_is_no_trace(text: str) -> None:
    assert not HERS.is_in(text)


def test_quick_search_excludes_no_match() -> None:
    assert HERS.may_be("(300) 123-4567", "")
    assert HERS.may_be("", "Jane.Doe@Example.com")
    assert not HERS.may_be("+573001234568", "john@example.com")
