"""Rates and other bounds as people write them."""

import pytest

from tasks.delivery.rate import Rate, parse_rate
from worker.errors import StartError
from worker.settings import load


@pytest.mark.parametrize(
    ("text", "rate", "interval_us", "burst"),
    [
        ("10/s", Rate(10, "s"), 100_000, 10),
        (" 600/m ", Rate(600, "m"), 100_000, 10),
        ("7 / s", Rate(7, "s"), 142_858, 7),
        ("90/m", Rate(90, "m"), 666_667, 2),
        ("1/m", Rate(1, "m"), 60_000_000, 1),
        ("500/h", Rate(500, "h"), 7_200_000, 1),
        ("10000/s", Rate(10_000, "s"), 100, 10_000),
    ],
)
def test_a_rate_is_read(text: str, rate: Rate, interval_us: int, burst: int) -> None:
    found = parse_rate(text)
    assert found == rate
    assert (found.interval_us, found.burst) == (interval_us, burst)
    assert parse_rate(str(found)) == found


def test_a_rate_may_be_off() -> None:
    assert parse_rate("off") is parse_rate(None) is None
    assert load({"WINBACK_DELIVERY__RATE": "off"}).delivery.rate is None


@pytest.mark.parametrize("text", ["10", "10/d", "-1/s", "1.5/s", "fast", "", 10, True, "10/s/s"])
def test_what_is_no_rate_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match=r"^is not a rate: write a whole number and its unit, like 10/s"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["0/s", "10001/s", "600001/m"])
def test_a_rate_has_bounds(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be above zero and at most 10000/s; or off$"):
        parse_rate(text)


@pytest.mark.parametrize("name", ["MAX_PER_DAY", "BREAKER_FAILURES"])
def test_a_number_may_be_off_and_is_written_so(name: str) -> None:
    assert getattr(load({f"WINBACK_DELIVERY__{name}": "5"}).delivery, name.lower()) == 5
    found = load({f"WINBACK_DELIVERY__{name}": "off"}).delivery
    assert getattr(found, name.lower()) is None
    assert found.model_dump(mode="json")[name.lower()] == "off"
    for wrong in ("0", "true", "many", "-1"):
        with pytest.raises(StartError, match=f"^WINBACK_DELIVERY__{name}: "):
            load({f"WINBACK_DELIVERY__{name}": wrong})
