"""The test list: its people in any spelling, and that no other people are contacted."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from tasks.policy.decisions import Suppress
from tasks.policy.rules import decide
from tasks.policy.settings import ContactSettings
from tests.support.situations import FINE, PHONE

EMAIL = "jane@example.com"
NOT_LISTED = Suppress("not_on_list")


def settings(*only: str) -> ContactSettings:
    return ContactSettings.model_validate({"test_list": only})


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("+573001234567", PHONE),
        ("+57 (300) 123-4567", PHONE),
        ("CO:3001234567", PHONE),
        ("Colombia: 300 123 4567", PHONE),
        ("Jane@Example.com", EMAIL),
    ],
)
def test_an_entry_is_read_in_any_spelling(text: str, identity: str) -> None:
    assert settings(text).test_list == (identity,)
    assert decide(FINE, settings(text)) != NOT_LISTED


@pytest.mark.parametrize("text", ["3001234567", "CO:12", "Nowhere:3001234567", "jane@", "", 3001234567])
def test_an_invalid_entry_is_named_by_its_place(text: object) -> None:
    with pytest.raises(ValidationError, match="entry 2 of the list is neither a phone number with its country nor"):
        ContactSettings.model_validate({"test_list": [PHONE, text]})


@pytest.mark.parametrize("identities", [(), ("+573001234568",), ("+573001234568", "john@example.com")])
def test_unlisted_people_are_not_contacted(identities: tuple[str, ...]) -> None:
    assert decide(replace(FINE, identities=identities), settings(PHONE, EMAIL)) == NOT_LISTED
    assert decide(replace(FINE, identities=identities), settings()) != NOT_LISTED


def test_the_list_is_not_shown_with_the_settings() -> None:
    assert settings(PHONE, EMAIL).model_dump()["test_list"] == "2 people"
