"""How often a person can be contacted: the shop's limits and the law's, without those that a stricter one implies."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.flow import Stage
from state.channels import CHANNELS
from state.limit import Limit
from tasks.policy.law.consenting import consent_required
from tasks.policy.law.limit_text import parse_limit, write_limit
from tasks.policy.law.limits import limits_for, longest_limit_ms, strictest
from tasks.policy.law.table import table
from tasks.policy.settings import ContactSettings

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def contact(**settings: object) -> ContactSettings:
    return ContactSettings.model_validate(settings)


def written(stage: Stage, jurisdictions: tuple[str, ...], **settings: object) -> list[str]:
    return [write_limit(limit) for limit in limits_for(stage, jurisdictions, contact(**settings))]


@pytest.mark.parametrize(
    ("jurisdictions", "settings", "expected"),
    [
        ((), {}, ["1/24h"]),
        (("CO",), {}, ["1/24h"]),
        (("CO",), {"cap": "12h"}, ["1/24h"]),
        (("CO",), {"cap": "12h", "law": "off"}, ["1/12h"]),
        (("CO",), {"cap": "12h", "law_off": ["CO"]}, ["1/12h"]),
        (("CO",), {"disabled_rules": ["contacted_recently"]}, ["1/24h"]),
        ((), {"disabled_rules": ["contacted_recently"], "limits": ["2/7d"]}, []),
        (("FR",), {}, ["1/24h", "4/30d"]),
        (("FR",), {"cap": "10d"}, ["1/10d"]),
        (("US", "US-FL"), {"cap": "1h"}, ["1/1h", "3/24h"]),
        (("US", "US-OK"), {"cap": "1h"}, ["1/1h", "3/24h"]),
        (("US", "US-NY"), {"cap": "1h"}, ["1/1h"]),
        (("US", "US-FL"), {}, ["1/24h"]),
        (("FR", "US", "US-FL"), {"cap": "1h", "limits": ["2/2d"]}, ["1/1h", "2/2d", "4/30d"]),
        (("CO",), {"by_country": {"co": {"cap": "3d", "limits": ["4/30d"]}}}, ["1/3d", "4/30d"]),
        (("CO", "ES"), {"by_country": {"co": {"cap": "12h"}}, "law": "off"}, ["1/24h"]),
        (("CO",), {"by_country": {"co": {"cap": "12h"}}, "law": "off"}, ["1/12h"]),
    ],
)
def test_all_limits_hold_and_stricter_ones_stand_for_weaker(
    jurisdictions: tuple[str, ...], settings: dict[str, object], expected: list[str]
) -> None:
    assert written("checkout", jurisdictions, **settings) == expected


def test_limits_of_a_stage_and_a_country_hold_together() -> None:
    own = {"by_stage": {"payment": {"cap": "2h", "limits": ["3/7d"]}}, "by_country": {"UY": {"cap": "5h"}}}
    assert written("payment", ("UY",), **own) == ["1/5h", "3/7d"]
    assert written("checkout", ("UY",), **own) == ["1/5h"]
    assert written("payment", ("AR",), **own) == ["1/2h", "3/7d"]


def test_a_contact_is_remembered_for_the_longest_limit() -> None:
    assert longest_limit_ms(contact()) == 30 * DAY_MS  # France
    assert longest_limit_ms(contact(law="off")) == DAY_MS
    assert longest_limit_ms(contact(law="off", by_country={"AR": {"limits": ["9/90d"]}})) == 90 * DAY_MS
    assert longest_limit_ms(contact(law="off", by_stage={"payment": {"limits": ["9/60d"]}})) == 60 * DAY_MS


limits = st.builds(Limit, st.integers(1, 5), st.integers(1, 12).map(lambda hours: hours * HOUR_MS))
histories = st.lists(st.integers(0, 72).map(lambda halves: halves * HOUR_MS // 2), max_size=14).map(sorted)


def keeps(history: list[int], limit: Limit) -> bool:
    return all(sum(begin <= at < begin + limit.period_ms for at in history) <= limit.count for begin in history)


@given(st.lists(limits, max_size=5), histories)
@settings(deadline=None)
def test_the_strictest_limits_allow_exactly_what_all_do(every: list[Limit], history: list[int]) -> None:
    kept = strictest(every)
    assert set(kept) <= set(every)
    assert all(keeps(history, limit) for limit in kept) == all(keeps(history, limit) for limit in every)


@given(st.sampled_from(get_args(Stage)), st.lists(st.sampled_from(sorted(table())), max_size=3, unique=True))
@settings(deadline=None)
def test_the_law_never_relaxes_the_limits_of_the_shop(stage: Stage, codes: list[str]) -> None:
    own = contact(cap="6h", limits=["5/7d"])
    found = limits_for(stage, tuple(codes), own)
    assert strictest([*found, *limits_for(stage, (), own)]) == found


@pytest.mark.parametrize("text", ["1/24h", "4/30d", "3/90m", "1000/365d"])
def test_a_limit_is_written_as_it_is_read(text: str) -> None:
    assert write_limit(parse_limit(f" {text} ")) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4", "is not a limit: write a number of contacts and a time, like 1/24h or 4/30d"),
        (4, "is not a limit"),
        ("4/30", "has no such time: 30 has no unit: write 30s"),
        ("0/24h", "must be from 1 to 1000 contacts within at most 365d"),
        ("1/366d", "must be from 1 to 1000"),
        ("-1/24h", "is not a limit"),
    ],
)
def test_bad_limit_reports_the_expected_form(text: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_limit(text)


# Consent


@pytest.mark.parametrize(
    ("jurisdictions", "settings", "channels"),
    [
        (("CO",), {}, set()),
        (("BR",), {}, {"call", "whatsapp"}),
        (("CO", "BR"), {}, {"call", "whatsapp"}),
        (("CO",), {"require_consent": ["law"]}, {"call", "whatsapp"}),
        (("ES",), {"require_consent": "law"}, {"call"}),
        (("US", "US-FL"), {"require_consent": "LAW"}, {"call"}),
        (("MX",), {"require_consent": "law"}, set()),
        (("MX",), {"require_consent": "MX,law"}, {"call", "whatsapp"}),
        (("ES",), {"require_consent": "law", "law_off": ["ES"]}, set()),
        (("ES",), {"require_consent": "law", "by_country": {"ES": {"require_consent": False}}}, set()),
        (("CO", "ES"), {"require_consent": "law", "by_country": {"CO": {"require_consent": False}}}, {"call"}),
        (("BR",), {"by_country": {"brazil": {"require_consent": ["whatsapp"]}}}, {"whatsapp"}),
        (("AR",), {"by_country": {"AR": {"require_consent": True}}}, {"call", "whatsapp"}),
        (("AR",), {"by_country": {"AR": {"require_consent": "call"}}}, {"call"}),
    ],
)
def test_consent_is_required_in_every_jurisdiction_by_channel(
    jurisdictions: tuple[str, ...], settings: dict[str, object], channels: set[str]
) -> None:
    assert consent_required(jurisdictions, contact(**settings)) == channels
    assert channels <= set(CHANNELS)


def test_consent_by_law_needs_the_law_table() -> None:
    with pytest.raises(ValueError, match="name the countries"):
        contact(law="off", require_consent="law")
