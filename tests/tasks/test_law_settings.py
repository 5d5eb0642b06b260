"""The settings of law, limits, holidays and countries: read from file and environment, refused in one line."""

from pathlib import Path

import pytest

from tasks.policy.quiet_hours import parse
from tasks.policy.settings import ContactSettings
from worker.errors import StartError
from worker.settings import Settings, load
from worker.settings.origins import sources

CO = "WINBACK_CONTACT__BY_COUNTRY__CO__"
ITS_HOURS = "mon-fri 19:00-07:00; sat 00:00-08:00; sat 15:00-24:00; sun 00:00-24:00; mon 00:00-07:00"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Path:
    path = Path("winback.toml")
    path.write_text(text, encoding="utf-8")
    return path


def problem(env: dict[str, str] | None = None) -> str:
    with pytest.raises(StartError) as stopped:
        load(env or {})
    (line,) = str(stopped.value).splitlines()
    return line


def test_a_country_has_settings_of_its_own_in_the_environment() -> None:
    settings = load({f"{CO}QUIET_HOURS": ITS_HOURS, f"{CO}CAP": "2d", f"{CO}REQUIRE_CONSENT": "call"})
    own = settings.contact.by_country["CO"]
    assert own.quiet_hours == parse(ITS_HOURS)
    assert own.require_consent == ("call",)


@pytest.mark.parametrize("key", ["CO", "co", "COL", "Colombia", "COLOMBIA"])
def test_environment_beats_the_file_in_any_country_spelling(key: str) -> None:
    file = written('[contact.by_country.colombia]\ncap = "3d"\nchannel = "call"\n')
    name = f"WINBACK_CONTACT__BY_COUNTRY__{key}__CAP"
    settings = load({name: "2d"}, file)
    own = settings.contact.by_country["CO"]
    assert (own.cap.days if own.cap else 0, own.channel) == (2, "call")
    origins = sources(settings, {name: "2d"}, file)
    assert origins["contact.by_country.CO.cap"] == name
    assert origins["contact.by_country.CO.channel"] == "winback.toml"


def test_country_of_several_words_has_underscores_in_a_variable() -> None:
    settings = load({"WINBACK_CONTACT__BY_COUNTRY__UNITED_STATES__ENABLED": "false"})
    assert not settings.contact.by_country["US"].enabled


@pytest.mark.parametrize(
    ("env", "line"),
    [
        ({f"{CO}CAP": "1x"}, f"{CO}CAP: '1x' is not a duration"),
        ({f"{CO}LIMITS": "1/x"}, f"{CO}LIMITS: '1/x' '1/x' has no such time"),
        (
            {f"{CO}CAPP": "1h"},
            f"{CO}CAPP: unknown variable; write WINBACK_CONTACT__BY_COUNTRY__CO__ and one of ENABLED",
        ),
        ({f"{CO}REQUIRE_CONSENT": "sms"}, f"{CO}REQUIRE_CONSENT: 'sms' is not known here: write 'call' or 'whatsapp'"),
        (
            {"WINBACK_CONTACT__BY_COUNTRY__ATLANTIS__CAP": "1h"},
            "contact.by_country: 'ATLANTIS' is not a country: write a code such as CO",
        ),
        (
            {"WINBACK_CONTACT__LIMITS": "4/30"},
            "WINBACK_CONTACT__LIMITS: '4/30' '4/30' has no such time: 30 has no unit: write 30s, 30m or 30h",
        ),
        (
            {"WINBACK_CONTACT__HOLIDAYS": "CO:2026-02-30"},
            "WINBACK_CONTACT__HOLIDAYS: 'CO:2026-02-30' 'CO:2026-02-30' is not a day: write 2026-12-24",
        ),
        (
            {"WINBACK_CONTACT__HOLIDAYS": "ZZ:2026-12-24"},
            "WINBACK_CONTACT__HOLIDAYS: 'ZZ:2026-12-24' 'ZZ:2026-12-24' begins with neither a country nor a state",
        ),
        (
            {"WINBACK_CONTACT__LAW_OFF": "US-XX"},
            "WINBACK_CONTACT__LAW_OFF: 'US-XX' 'US-XX' is neither a country nor a state: write codes such as ES,US-FL",
        ),
        ({"WINBACK_CONTACT__LAW": "maybe"}, "WINBACK_CONTACT__LAW: 'maybe' is not known here: write 'on' or 'off'"),
        (
            {"WINBACK_CONTACT__DEFAULT_ZONE": "Mars"},
            "WINBACK_CONTACT__DEFAULT_ZONE: 'Mars' is not a time zone: write an IANA name",
        ),
        (
            {"WINBACK_CONTACT__REQUIRE_CONSENT": "law,Atlantis"},
            "WINBACK_CONTACT__REQUIRE_CONSENT: 'law,Atlantis' 'Atlantis' is not a country: write codes such as BR,MX",
        ),
        (
            {"WINBACK_CONTACT__LAW": "off", "WINBACK_CONTACT__REQUIRE_CONSENT": "law"},
            'contact: law = "off" removes the table that require_consent = "law" needs: name the countries',
        ),
    ],
)
def test_a_bad_value_is_one_line_with_the_item_and_the_fix(env: dict[str, str], line: str) -> None:
    assert problem(env).startswith(line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '[contact.by_country.Atlantis]\ncap = "1h"',
            "contact.by_country (winback.toml): 'Atlantis' is not a country: write a code such as CO",
        ),
        (
            '[contact.by_country.CO]\ncap = "1h"\n[contact.by_country.Colombia]\ncap = "2h"',
            "contact.by_country (winback.toml): 'Colombia' is CO, which is listed already: write it once",
        ),
        ('[contact.by_country.CO]\ncapp = "1h"', "contact.by_country.CO.capp (winback.toml): unknown key"),
        ('[contact.by_country.co]\ncap = "1"', "contact.by_country.CO.cap (winback.toml): '1' has no unit"),
        ("[contact]\nby_country = 3", "contact.by_country (winback.toml): 3 must be a section"),
        ("[contact]\nlimits = 3", "contact.limits (winback.toml): 3 is not a list of limits"),
        ("[contact]\nholidays = 3", "contact.holidays (winback.toml): 3 is not a list of days"),
    ],
)
def test_a_bad_file_is_one_line_with_the_key_and_the_fix(text: str, line: str) -> None:
    written(text)
    assert problem().startswith(line)


def test_days_of_toml_and_switches_of_toml_are_read_too() -> None:
    file = written("[contact]\nlaw = false\nholidays = [2026-12-24, 'CO:2026-12-31']")
    contact = load({}, file).contact
    assert contact.law == "off"
    assert [(holiday.place, str(holiday.day)) for holiday in contact.holidays] == [
        ("", "2026-12-24"),
        ("CO", "2026-12-31"),
    ]


def test_the_law_is_on_unless_it_is_switched_off() -> None:
    assert Settings().contact.law == "on"


# Settings that differ by stage and country


def contact(**settings: object) -> ContactSettings:
    return ContactSettings.model_validate(settings)


def test_the_stricter_of_stage_and_country_counts() -> None:
    both = contact(
        quiet_hours="off",
        min_value={"USD": 5},
        by_stage={"payment": {"cap": "2h", "min_value": {"USD": 20, "COP": 1}, "quiet_hours": "21:00-08:00"}},
        by_country={"CO": {"cap": "5h", "min_value": {"USD": 10, "COP": 9}, "quiet_hours": "sun 00:00-24:00"}},
    )
    here = both.at("payment", ("CO",))
    assert here.cap.total_seconds() == 5 * 3600
    assert here.min_value == {"USD": 20, "COP": 9}
    assert here.quiet_hours == parse("21:00-08:00; sun 00:00-24:00")


def test_country_setting_replaces_the_general_one() -> None:
    own = contact(cap="24h", min_value={"USD": 20}, by_country={"CO": {"cap": "1h", "min_value": {"COP": 9}}})
    assert own.at("payment", ("CO",)).cap.total_seconds() == 3600
    assert own.at("payment", ("CO",)).min_value == {"COP": 9}
    assert own.at("payment", ("ES",)).cap.total_seconds() == 24 * 3600


def test_of_two_countries_the_stricter_counts() -> None:
    own = contact(cap="24h", by_country={"CO": {"cap": "1h", "channel": "call"}, "ES": {"enabled": False}})
    here = own.at("payment", ("CO", "ES"))
    assert here.cap.total_seconds() == 24 * 3600
    assert here.channel == "call"
    assert here.country_off


def test_the_channel_of_a_country_goes_before_that_of_a_stage() -> None:
    both = contact(by_stage={"payment": {"channel": "call"}}, by_country={"CO": {"channel": "whatsapp"}})
    assert both.at("payment", ("CO",)).channel == "whatsapp"
    assert both.at("payment", ("ES",)).channel == "call"
    assert both.at("checkout", ("ES",)).channel == "auto"
