"""Where a person might be: jurisdictions and time zones of numbers, countries, regions and stated zones."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import phonenumbers
import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.geodata import GEOCODE_DATA

from tasks.delivery.payload import Built, build
from tasks.policy.law.places import place_of
from tasks.policy.law.regions import area_codes_of, region_of, state_of_number
from tasks.policy.law.zone_files import zone, zone_name, zones_by_country
from tasks.policy.law.zones import _LONGEST_PREFIX, _corrections, zones_of, zones_of_area_codes
from tests.support.events import event
from winback.operations.event_check import check


@pytest.mark.parametrize(
    ("phone", "country", "zones"),
    [
        ("+573001234567", "CO", {"America/Bogota"}),
        ("+12125550123", "US", {"America/New_York"}),
        ("+80012345678", "CO", {"America/Bogota"}),
        ("", "MX", {"America/Mexico_City", "America/Tijuana"}),
        ("", "", {"Europe/Madrid"}),
        ("nonsense", "XX", {"Europe/Madrid"}),
        ("+5571987654321", "BR", {"America/Sao_Paulo"}),
        ("+34612345678", "ES", {"Europe/Madrid", "Atlantic/Canary"}),
    ],
)
def test_zone_comes_from_number_then_country_then_default(phone: str, country: str, zones: set[str]) -> None:
    assert zones <= set(zones_of(phone, country, "Europe/Madrid"))


def test_number_without_a_location_is_in_every_zone_of_its_plan() -> None:
    assert len(zones_of("+18005550123", "US", "UTC")) > 1


def test_every_zone_that_a_number_can_have_is_known_here() -> None:
    for name in zones_of("+18005550123", "US", "UTC"):
        assert zone(name).key == name


@pytest.mark.parametrize(
    ("phone", "zones"),
    [
        ("+526141234567", {"America/Chihuahua"}),
        ("+526251234567", {"America/Chihuahua"}),
        ("+526271234567", {"America/Chihuahua"}),
        ("+526481234567", {"America/Chihuahua"}),
        ("+526521234567", {"America/Chihuahua"}),
        ("+526391234567", {"America/Chihuahua"}),
        ("+526361234567", {"America/Chihuahua", "America/Ciudad_Juarez"}),
        ("+526561234567", {"America/Ciudad_Juarez"}),
        ("+526261234567", {"America/Ojinaga"}),
        ("+526491234567", {"America/Chihuahua", "America/Monterrey"}),
        ("+529981234567", {"America/Cancun"}),
        ("+526621234567", {"America/Hermosillo"}),
        ("+526641234567", {"America/Tijuana"}),
        ("+528681234567", {"America/Matamoros", "America/Monterrey"}),
        ("+56612212345", {"America/Punta_Arenas"}),
        ("+56672212345", {"America/Coyhaique"}),
        ("+56221234567", {"America/Santiago"}),
        ("+56987654321", {"America/Santiago", "America/Punta_Arenas", "America/Coyhaique"}),
        ("+77012345678", {"Asia/Almaty"}),
        ("+78452123456", {"Europe/Saratov"}),
        ("+18505550123", {"America/New_York", "America/Chicago"}),
    ],
)
def test_outdated_zones_of_the_number_table_are_corrected(phone: str, zones: set[str]) -> None:
    assert set(place_of(phone, "").zones) == zones


def test_every_correction_names_zones_that_exist() -> None:
    for prefix, zones in _corrections().items():
        assert 3 <= len(prefix) <= _LONGEST_PREFIX
        assert [zone_name(name) for name in zones] == list(zones)


def test_recently_changed_countries_are_up_to_date() -> None:
    winter, summer = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)
    for name, offsets in [
        ("America/Chihuahua", ("-0600", "-0600")),
        ("America/Ciudad_Juarez", ("-0700", "-0600")),
        ("America/Asuncion", ("-0300", "-0300")),
        ("America/Coyhaique", ("-0300", "-0300")),
        ("America/Nuuk", ("-0200", "-0100")),
        ("Asia/Almaty", ("+0500", "+0500")),
    ]:
        assert tuple(f"{moment.astimezone(zone(name)):%z}" for moment in (winter, summer)) == offsets


@pytest.mark.parametrize(
    ("phone", "country", "region", "jurisdictions"),
    [
        ("+573001234567", "CO", "", ("CO",)),
        ("+573001234567", "", "", ("CO",)),
        ("+573001234567", "ES", "", ("CO", "ES")),
        ("+13055550123", "US", "", ("US", "US-FL")),
        ("+13055550123", "CO", "", ("US", "US-FL", "CO")),
        ("+14155552671", "US", "US-NY", ("US", "US-CA", "US-NY")),
        ("+14155552671", "US", "florida", ("US", "US-CA", "US-FL")),
        ("+14155552671", "US", "fl", ("US", "US-CA", "US-FL")),
        ("+573001234567", "CO", "US_FL", ("CO", "US", "US-FL")),
        ("+34612345678", "ES", "Cataluña", ("ES", "ES-CT")),
        ("+14165550123", "CA", "", ("CA",)),
        ("+17875550123", "PR", "", ("PR",)),
        ("+80012345678", "CO", "", ("CO",)),
        ("", "", "", ()),
    ],
)
def test_every_place_that_may_be_meant_is_a_jurisdiction(
    phone: str, country: str, region: str, jurisdictions: tuple[str, ...]
) -> None:
    assert place_of(phone, country, region=region).jurisdictions == jurisdictions


def test_a_zone_of_the_customer_is_one_more() -> None:
    place = place_of("+14155552671", "US", time_zone="america/new_york")
    assert place.zones == ("America/Los_Angeles", "America/New_York")
    assert place.ignored == ()


def test_a_state_of_the_customer_adds_its_zones() -> None:
    assert set(place_of("+14155552671", "US", region="NY").zones) == {"America/Los_Angeles", "America/New_York"}


def test_moved_person_can_be_in_every_zone_of_the_new_country() -> None:
    moved = place_of("+573001234567", "US").zones
    assert {"America/Bogota", "America/New_York", "Pacific/Honolulu"} <= set(moved)
    settled = place_of("+573001234567", "US", time_zone="America/Chicago").zones
    assert settled == ("America/Bogota", "America/Chicago")


@pytest.mark.parametrize("text", ["Mars/Olympus", "UTC+5", "Factory", "../etc/passwd", "America"])
def test_an_unknown_zone_is_ignored_and_named(text: str) -> None:
    place = place_of("+573001234567", "CO", time_zone=text)
    assert place.zones == ("America/Bogota",)
    assert place.ignored == ("customer.time_zone",)


def test_an_unknown_region_is_ignored_and_named() -> None:
    place = place_of("+573001234567", "CO", region="Atlantis")
    assert place.jurisdictions == ("CO",)
    assert place.ignored == ("customer.region",)


def test_what_is_ignored_is_reported_to_the_shop() -> None:
    customer = {"full_name": "Ana", "phone_number": "+573001234567", "country_code": "CO", "region": "Atlantis"}
    raw = json.dumps(event(customer={**customer, "time_zone": "Mars"})).encode()
    found = {finding.field: finding.message for finding in check(raw, 0)}
    assert found["customer.time_zone"] == "is not an IANA time zone such as America/Bogota"
    assert found["customer.region"] == "is not a region of ISO 3166-2 such as US-FL, FL or Florida"
    fields = {"name": "Ana", "phone": "+573001234567", "country": "CO", "time_zone": "Mars", "region": "Atlantis"}
    built = build(fields, session_id="s", stage="checkout", platform="web", abandoned_ms=0, reason="r")
    assert isinstance(built, Built)
    assert built.left_out == ("customer.time_zone", "customer.region")


@given(st.text(), st.text(), st.sampled_from(["", "CO", "US", "ES", "XX"]))
@settings(deadline=None)
def test_no_text_of_a_shop_breaks_the_search_for_a_place(region: str, time_zone: str, country: str) -> None:
    place = place_of("+573001234567", country, region=region, time_zone=time_zone)
    assert place.jurisdictions[0] == "CO"
    assert place.zones[0] == "America/Bogota"


# Winback's own files


def test_area_codes_agree_with_the_geocoder() -> None:
    names = {region.name: region.code for region in pycountry.subdivisions.get(country_code="US")}  # type: ignore[no-untyped-call]
    names |= {"Washington State": "US-WA", "Washington D.C.": "US-DC"}
    for prefix, place in GEOCODE_DATA.items():
        code = names.get(place.get("en", "").rpartition(",")[2].strip())
        if prefix.startswith("1") and len(prefix) == 4 and code and code not in {"US-PR", "US-VI", "US-GU"}:
            assert state_of_number(f"+{prefix}5550123") == code


def test_every_area_code_of_a_place_in_the_us_has_its_state() -> None:
    for code in range(200, 1000):
        number = phonenumbers.parse(f"+1{code}2345678")
        fixed = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
        if phonenumbers.region_code_for_number(number) == "US" and fixed:
            assert state_of_number(f"+1{code}2345678"), code


def test_every_zone_in_the_files_exists() -> None:
    every = {name for zones in zones_by_country().values() for name in zones}
    every |= {name for code in ("US-FL", "US-KY") for name in zones_of_area_codes(area_codes_of(code))}
    assert all(zone_name(name) == name and zone(name) for name in every)


@pytest.mark.parametrize("text", ["US-FL", "us-fl", "FL", "fl", "Florida", "florida", " FLORIDA "])
def test_a_state_is_read_in_every_usual_spelling(text: str) -> None:
    assert region_of(text, ("US",)) == "US-FL"


def test_zones_of_the_host_are_not_asked(tmp_path: Path) -> None:
    package = files("tzdata") / "zoneinfo"
    (tmp_path / "America").mkdir()
    shutil.copy(str(package / "Asia" / "Tokyo"), tmp_path / "America" / "Bogota")
    (tmp_path / "zone.tab").write_text("CO\t+0436-07405\tAsia/Tokyo\n")
    script = (
        "from datetime import datetime; from tasks.policy.law.zone_files import zone, zones_by_country;"
        "print(zone('America/Bogota').utcoffset(datetime(2026, 1, 1)), *zones_by_country()['CO'])"
    )
    env = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=env)
    assert found.stdout.split() == ["-1", "day,", "19:00:00", "America/Bogota"]
