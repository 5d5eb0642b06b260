from datetime import timedelta
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from detectors.durations import Duration, OptionalDuration, below, format_duration, parse_duration, within


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        (" 5s\n", timedelta(seconds=5)),
    ],
)
def test_a_duration_is_a_whole_number_and_its_unit(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("bare", [30, "30", 0])
def test_a_bare_number_is_refused_with_what_to_write(bare: object) -> None:
    with pytest.raises(ValueError, match=rf"has no unit: write {bare}s, {bare}m or {bare}h"):
        parse_duration(bare)


@pytest.mark.parametrize(
    "text", ["", "m", "1.5h", "-5s", "5 s", "1h30m", "15M", "٣s", "off", True, 1.5, None, [], "5s\n5s"]
)
def test_what_is_no_duration_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="write a whole number and its unit, like 250ms, 90s, 15m, 2h or 1d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9999999999d", "9" * 5000 + "s"])
def test_a_duration_beyond_all_measure_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        parse_duration(text)


@pytest.mark.parametrize("zero", ["0s", timedelta(0), timedelta(seconds=-1)])
def test_a_duration_is_longer_than_zero(zero: object) -> None:
    with pytest.raises(ValueError, match="longer than zero"):
        parse_duration(zero)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(minutes=15), "15m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(hours=24), "24h"),
        (timedelta(hours=48), "2d"),
        (timedelta(milliseconds=1500), "1500ms"),
        (timedelta(microseconds=1_000_400), "1s"),
        (timedelta(0), "0s"),
        (timedelta(seconds=-5), "-5s"),
    ],
)
def test_duration_is_written_in_the_largest_exact_unit(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@given(st.integers(min_value=1, max_value=10**12).map(lambda ms: timedelta(milliseconds=ms)))
def test_what_is_written_is_read_back_the_same(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


def test_off_is_read_and_written_as_none() -> None:
    optional = TypeAdapter(OptionalDuration)

    assert optional.validate_python("off") is None
    assert optional.validate_python("5m") == timedelta(minutes=5)
    assert optional.dump_python(None, mode="json") == "off"
    assert TypeAdapter(Duration).dump_python(timedelta(minutes=5), mode="json") == "5m"


def test_the_error_of_an_optional_duration_names_off() -> None:
    with pytest.raises(ValidationError, match=r"write 5s, 5m or 5h .*; or off"):
        TypeAdapter(OptionalDuration).validate_python("5")


def test_limits_are_reported_as_they_were_written() -> None:
    between = TypeAdapter(Annotated[Duration, within("100ms", "5m")])
    under = TypeAdapter(Annotated[OptionalDuration, below("7d", why="when it is forgotten")])

    assert between.validate_python("5m") == timedelta(minutes=5)
    assert under.validate_python("off") is None
    with pytest.raises(ValidationError, match="must be between 100ms and 5m"):
        between.validate_python("99ms")
    with pytest.raises(ValidationError, match="must be below 7d, when it is forgotten"):
        under.validate_python("7d")
