"""What a value must be, in plain words."""

from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError

from detectors.parsing import parse
from detectors.validation_messages import plain


class Coupon(BaseModel):
    code: Annotated[str, Field(pattern="^[A-Z]{4}$")]


@pytest.mark.parametrize(
    ("pattern", "words"), [(None, "must be text that matches ^[A-Z]{4}$"), ("four letters", "must be four letters")]
)
def test_text_that_does_not_match_its_pattern_names_it(pattern: str | None, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Coupon(code="jane@example.com")
    (detail,) = raised.value.errors()
    assert plain(detail, pattern=pattern) == words


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"session_id":"undefined","type":"exit"}', "must be text of 1 to 512 characters"),
        (b'{"session_id":"s-1","type":"exit","flow_stage":"moon"}', "must be 'product_selection', "),
    ],
)
def test_each_field_has_the_message_of_its_own_kind(raw: bytes, message: str) -> None:
    assert parse(raw).problems[0].message.startswith(message)
