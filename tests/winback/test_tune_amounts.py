"""Amounts as merchants read them."""

import pytest

from winback.tuning.amounts import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5, "5 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (120, "2 minutes"),
        (200, "3.3 minutes"),
        (5400, "90 minutes"),
        (6000, "1.7 hours"),
        (7200, "2 hours"),
    ],
)
def test_duration_is_short(seconds: int, words: str) -> None:
    assert duration(seconds * 1000) == words
