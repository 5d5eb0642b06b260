"""The block list: robots, staff and tests, by their typed names and addresses and by number."""

import re
from importlib.resources import files
from tomllib import loads

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from detectors.normalize.identities import of_number
from detectors.normalize.phones import phone
from tasks.policy import block_patterns, blocklist
from tasks.policy.block_settings import BlockSettings
from tasks.policy.blocklist import Blocklist, Hit, shipped

SHIPPED = blocklist.compiled(BlockSettings())
REHEARSAL = blocklist.compiled(BlockSettings(), rehearsal=True)


def own(**settings: object) -> Blocklist:
    return blocklist.compiled(BlockSettings.model_validate({"default": "off", **settings}))


def kind(hit: Hit | None) -> str:
    return hit.kind if hit else ""


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("johnsmith004@storebotmail.joonix.net", "bot"),
        ("JohnSmith004@StoreBotMail.Joonix.NET", "bot"),
        ("  Someone <x@mx.storebotmail.joonix.net.> ", "bot"),
        ("shopper-check-7@storebot.example", "bot"),
        ("a@mail.storebot-eu.example.com", "bot"),
        ("\uff41@storebotmail.joonix.net", "bot"),
        ("sb-gypf446000721@personal.example.com", "internal"),
        ("test_user_123@testuser.com", "internal"),
        ("838-n3q-q2y.6238933596@synthetics.dtdg.co", "internal"),
        ("anything@fg37jcgd.mailosaur.net", "internal"),
        ("qa@shop.test", "internal"),
        ("qa@shop.invalid", "internal"),
        ("root@localhost", "internal"),
        ("pele+shop@example.com", ""),
        ("jane.doe@example.org", ""),
        ("jane@latest", ""),
        ("jane@notstorebot.com", ""),
        ("storebot@gmail.com", ""),
        ("jane@joonix.net", ""),
        ("not an address", ""),
        ("@", ""),
    ],
)
def test_shipped_list_knows_addresses_of_robots_and_tests(email: str, expected: str) -> None:
    assert kind(SHIPPED.hit(email=email)) == kind(REHEARSAL.hit(email=email)) == expected


@pytest.mark.parametrize(
    "number",
    [
        "+16505550123",
        "+12125550100",
        "+14165550199",
        "+442079460958",
        "+441632960123",
        "+447700900461",
        "+61255501234",
        "+61491570156",
        "+33199001234",
        "+33639981234",
        "+493023125123",
        "+491713920055",
        "+4915228817386",
        "+46701740605",
        "+46701740699",
        "+46846500450",
        "+353209112345",
    ],
)
def test_fictitious_number_is_internal_except_in_a_rehearsal(number: str) -> None:
    assert kind(SHIPPED.hit(e164=number)) == "internal"
    assert REHEARSAL.hit(e164=number) is None
    assert kind(own(internal_numbers=[number]).hit(e164=number)) == "internal"


@pytest.mark.parametrize(
    "number",
    [
        "+573001234567",
        "+16505551123",
        "+16505550200",
        "+16505540123",
        "+442079461958",
        "+447700901461",
        "+46701740604",
        "+46701740700",
        "+61491570155",
        "+15555501234",
        "+65055501234",
    ],
)
def test_number_next_to_a_fictitious_range_is_a_shopper(number: str) -> None:
    assert SHIPPED.hit(e164=number) is None


def test_common_name_counts_only_with_another_sign() -> None:
    assert SHIPPED.hit(name="John Smith", email="john.smith@gmail.com", e164="+573001234567") is None
    assert SHIPPED.hit(name="Jane Doe", email="johnsmith+1222@gmail.com") is None
    assert kind(SHIPPED.hit(name="JOHN  SM\u00cdTH", email="johnsmith+1222@gmail.com")) == "bot"
    assert kind(SHIPPED.hit(name="John Smith", e164="+16502530000")) == "bot"


def test_shipped_entries_each_name_their_source_and_date() -> None:
    entries = loads((files("tasks.policy") / "blocklist.toml").read_text(encoding="utf-8"))["entry"]
    assert len(entries) == len(shipped())
    for entry in entries:
        assert entry["kind"] in {"bot", "internal"}
        assert entry["why"]
        assert entry["source"]
        assert re.fullmatch(r"20\d\d-\d\d", entry["date"])


def test_shipped_list_hits_no_example_number_of_any_country() -> None:
    # They stand for ordinary numbers, but for that of the United States, which is fictitious.
    examples = (
        phonenumbers.example_number_for_type(region, kind)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    )
    texts = {phonenumbers.format_number(n, phonenumbers.PhoneNumberFormat.E164) for n in examples if n}
    assert {text for text in texts if SHIPPED.hit(e164=text)} == {"+12015550123"}


def test_settings_extend_the_shipped_list_and_switch_it_off() -> None:
    both = blocklist.compiled(BlockSettings(internal_domains=("shop.com",)))
    only_own = own(internal_domains=["shop.com"])
    assert both.hit(email="a@intern.shop.com") == Hit("internal", "contact.block.internal_domains")
    assert kind(both.hit(email="a@storebotmail.joonix.net")) == "bot"
    assert only_own.hit(email="a@storebotmail.joonix.net") is None


@pytest.mark.parametrize(
    ("settings", "shopper", "expected"),
    [
        ({"bot_domains": ["@Crawler.IO"]}, {"email": "x@a.crawler.io"}, "bot"),
        ({"bot_domains": ["m\u00fcller.example"]}, {"email": "x@xn--mller-kva.example"}, "bot"),
        ({"bot_domains": ["crawler.io"]}, {"email": "x@notcrawler.io"}, ""),
        ({"internal_addresses": ["qa@shop.com"]}, {"email": "QA+7@shop.com"}, "internal"),
        ({"internal_addresses": ["qa+*@shop.com"]}, {"email": "qa+7@shop.com"}, "internal"),
        ({"internal_addresses": ["qa+*@shop.com"]}, {"email": "qa@shop.com"}, ""),
        ({"internal_addresses": ["qa?@shop.com"]}, {"email": "qa12@shop.com"}, ""),
        ({"internal_names": ["Mar\u00eda P\u00e9rez"]}, {"name": " maria  PEREZ "}, "internal"),
        ({"internal_names": ["Test Buyer"]}, {"name": "Test&nbsp;Buyer"}, "internal"),
        ({"internal_names": ["Test Buyer"]}, {"name": "Test Buyers"}, ""),
        ({"internal_numbers": ["+57 300 123 4567"]}, {"e164": "+573001234567"}, "internal"),
        ({"internal_numbers": ["+57 300 123-45*"]}, {"e164": "+573001234599"}, "internal"),
        ({"internal_numbers": ["+57 300 123 4500 - +57 300 123 4599"]}, {"e164": "+573001234567"}, "internal"),
        ({"internal_numbers": ["+573001234500 to +573001234566"]}, {"e164": "+573001234567"}, ""),
    ],
)
def test_own_entries_match_whatever_the_spelling(
    settings: dict[str, list[str]], shopper: dict[str, str], expected: str
) -> None:
    assert kind(own(**settings).hit(**shopper)) == expected


def test_robots_come_before_staff() -> None:
    listed = own(bot_names=["Robot One"], internal_domains=["shop.com"])
    assert kind(listed.hit(name="Robot One", email="a@shop.com")) == "bot"


@pytest.mark.parametrize("allow", ["ceo@shop.com", "ceo*@shop.com", "shop.com"])
def test_exception_takes_an_address_off_the_list(allow: str) -> None:
    listed = own(internal_domains=["shop.com"], allow=[allow])
    assert listed.hit(email="ceo@shop.com") is None
    assert (listed.hit(email="qa@shop.com") is None) == (allow == "shop.com")


def test_exception_takes_back_only_its_own_sign() -> None:
    listed = blocklist.compiled(BlockSettings(allow=("+16505550123", "Test Buyer"), internal_names=("Test Buyer",)))
    assert listed.hit(e164="+16505550123") is None
    assert listed.hit(name="Test Buyer") is None
    assert kind(listed.hit(email="a@storebotmail.joonix.net", e164="+16505550123")) == "bot"
    assert kind(listed.hit(e164="+16505550124")) == "internal"


def test_staff_numbers_match_under_every_form_of_a_line() -> None:
    listed = own(internal_numbers=["+5215512345678"])
    assert kind(listed.hit(e164="+525512345678")) == "internal"


DIGITS = st.integers(min_value=10_000, max_value=99_999_999)


@given(DIGITS, DIGITS, DIGITS)
def test_range_holds_what_lies_between_and_nothing_else(one: int, two: int, three: int) -> None:
    low, high = sorted((one, two))
    text = f"+1{low:08d}-+1{high:08d}"
    pattern = re.compile(block_patterns.number_entry(text))
    for number in (low - 1, low, high, high + 1, three):
        assert bool(pattern.fullmatch(f"1{number:08d}")) == (low <= number <= high)


@given(st.text(max_size=40), st.text(max_size=60), st.text("+0123456789 ()", max_size=20))
def test_any_text_is_answered(name: str, email: str, e164: str) -> None:
    assert kind(SHIPPED.hit(name=name, email=email, e164=e164)) in {"", "bot", "internal"}


@given(
    st.text(max_size=60), st.sampled_from(["internal_domains", "bot_addresses", "bot_numbers", "bot_names", "allow"])
)
def test_any_entry_is_compiled_or_refused(text: str, setting: str) -> None:
    try:
        settings = BlockSettings.model_validate({setting: [text]})
    except ValidationError:
        return
    blocklist.compiled(settings).hit(name=text, email=text, e164="+573001234567")


def test_line_of_a_number_that_was_read_is_that_of_its_entry() -> None:
    read = {
        phone(phonenumbers.format_number(example, form), region)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
        for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.NATIONAL)
        if (example := phonenumbers.example_number_for_type(region, kind)) is not None
    }
    numbers = [number for number in read if number]
    assert len(numbers) > 300
    assert [of_number(number)[1:] for number in numbers] == [block_patterns.number(number) for number in numbers]
