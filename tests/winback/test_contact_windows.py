"""The closed hours of a week where the shop is."""

import pytest

from tasks.policy.settings import ContactSettings
from winback.operations.contact_windows import closed_hours, country_of


def open_hours(zone: str, **settings: object) -> dict[str, list[int]]:
    closed = closed_hours(ContactSettings.model_validate(settings), zone)
    return {day: [hour for hour, why in enumerate(reasons) if why is None] for day, reasons in closed.items()}


def test_quiet_hours_close_their_hours_on_each_day() -> None:
    found = closed_hours(ContactSettings(), "UTC")
    assert set(found) == {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
    assert all([*map(bool, reasons)] == [True] * 8 + [False] * 13 + [True] * 3 for reasons in found.values())
    assert {why for reasons in found.values() for why in reasons if why} == {"quiet_hours"}


def test_law_of_the_zones_country_closes_hours_too() -> None:
    found = open_hours("America/Bogota", quiet_hours="off")
    assert found["mon"] == [*range(7, 19)]
    assert found["sun"] == []
    assert open_hours("America/Bogota", quiet_hours="off", law="off")["sun"] == [*range(24)]


def test_partly_closed_hour_counts_as_closed() -> None:
    assert open_hours("UTC", quiet_hours="20:30-08:15")["tue"] == [*range(9, 20)]


def test_disabled_quiet_hours_close_nothing() -> None:
    assert open_hours("UTC", disabled_rules=["quiet_hours"])["mon"] == [*range(24)]


def test_differences_of_the_country_apply() -> None:
    own = {"quiet_hours": "off", "by_country": {"CO": {"quiet_hours": "10:00-12:00"}}}
    assert open_hours("America/Bogota", law="off", **own)["mon"] == [*range(10), *range(12, 24)]


@pytest.mark.parametrize(("zone", "country"), [("America/Bogota", "CO"), ("America/Sao_Paulo", "BR"), ("UTC", None)])
def test_country_of_a_zone(zone: str, country: str | None) -> None:
    assert country_of(zone) == country
