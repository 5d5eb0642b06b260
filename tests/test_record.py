import json
from collections.abc import Mapping

import pytest

from detectors.parsing import parse
from detectors.sequence import Position, position
from tasks.record import cart_of, fields_of, is_bot, metadata_of, was_emptied

ARRIVAL_MS = 1_747_176_305_000  # 2025-05-13T22:45:05Z


def read(event: Mapping[str, object]) -> tuple[Position, dict[str, str]]:
    parsed = parse(json.dumps(event).encode())
    assert parsed.event is not None
    assert not parsed.problems
    return position(parsed.event, ARRIVAL_MS), fields_of(parsed.event)


def stored(**parts: object) -> dict[str, str]:
    """What is stored of an event with the given parts."""
    return read({"session_id": "s", "type": "exit", **parts})[1]


def test_each_field_is_kept_by_itself_and_null_clears_it() -> None:
    assert stored(customer={"full_name": "Jane", "email": None}) == {"name": "Jane", "email": ""}
    assert stored(customer={}) == stored(customer=None) == stored() == {}


def test_consent_is_kept_per_channel_and_null_is_no_answer() -> None:
    assert stored(customer={"consent": {"call": False}}) == {"consent.call": "false"}
    assert stored(customer={"consent": {"call": True, "whatsapp": None}}) == {"consent.call": "true"}
    assert stored(customer={"full_name": None, "consent": {"call": None, "source": None}}) == {"name": ""}
    assert stored(customer={"consent": None}) == {}


@pytest.mark.parametrize(
    ("said", "bot"),
    [
        (True, True),
        ("yes", True),
        (1, True),
        ("Googlebot", True),
        (False, False),
        ("no", False),
        (0, False),
        (None, False),
    ],
)
def test_the_shop_can_say_that_it_is_a_bot(*, said: object, bot: bool) -> None:
    assert is_bot(stored(engagement={"metadata": {"bot": said}})) is bot


def test_nobody_is_a_bot_unless_said_or_found() -> None:
    assert not is_bot({})
    assert is_bot({"bot": "1"})


@pytest.mark.parametrize("emptied", [None, {"items": []}, {"total_value": 10, "items": []}])
def test_a_cart_is_emptied_by_null_and_by_an_empty_list(emptied: object) -> None:
    assert was_emptied(stored(cart=emptied))
    assert cart_of(stored(cart=emptied)) is None


def test_a_cart_that_never_came_was_not_emptied() -> None:
    assert not was_emptied(stored())
    assert cart_of(stored()) is None
    assert cart_of(stored(cart={"total_value": 3})) is not None


def test_metadata_is_kept_per_key_whatever_the_key_is_called() -> None:
    metadata = {"": 1, "name": "x", "state": {"a": [1]}, "meta.": "y", "é\n": None}
    assert metadata_of(stored(engagement={"metadata": metadata})) == {
        "": 1,
        "name": "x",
        "state": {"a": [1]},
        "meta.": "y",
    }
