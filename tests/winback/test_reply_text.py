"""The text of a reply without personal data."""

import pytest

from winback.operations.reply_text import LONGEST, masked_reply

FIELDS = {"name": "José Doe", "email": "jose@example.com", "phone": "+57 300 123 4567", "meta.loyalty": "gold42"}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("customer.full_name is too long", "customer.full_name is too long"),
        ("JOSE DOE can't be called", "**** **** can't be called"),
        ("write to jose@example.com", "write to ****"),
        ("+57 300 123 4567 is invalid", "**** is invalid"),
        ("'3001234567' doesn't match", "'****' doesn't match"),
        ('field "phone_number" has value "Jane Roe"', 'field "phone_number" has value "****"'),
        ("gold42 is not a tier", "**** is not a tier"),
        ("at most 10 items", "at most 10 items"),
        ("a\nb\x1b[31m", r"a\nb\x1b[31m"),
    ],
)
def test_personal_data_in_a_reply_is_masked(said: str, shown: str) -> None:
    assert masked_reply(said, FIELDS) == shown


def test_reply_is_left_out_without_the_name_that_it_might_quote() -> None:
    assert masked_reply("Jane Doe can't be called", {"phone": "+573001234567"}) is None


def test_long_reply_is_cut() -> None:
    assert masked_reply("a " * LONGEST, FIELDS) == ("a " * LONGEST)[:LONGEST] + "..."
