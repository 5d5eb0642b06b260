"""Valid numbers of every plan, and ways to write them. Seeded: the same in every run."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from random import Random

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

DIGITS = "0123456789"
# Arabic, Persian, Devanagari, Bengali, Thai, full width
OTHER_DIGITS = ["".join(map(chr, range(zero, zero + 10))) for zero in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10)]
REACHABLE = {
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP,
}
TRIES = 30


@cache
def valid_numbers(of_each_kind: int) -> tuple[tuple[str, PhoneNumber], ...]:
    """Return the plans' own examples, and numbers with the same first digits, each with its country."""
    return tuple(_numbers(of_each_kind, Random(20_261_130)))


def _numbers(of_each_kind: int, random: Random) -> Iterator[tuple[str, PhoneNumber]]:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        plan = PhoneMetadata.metadata_for_region(region)
        assert plan is not None
        for kind, numbers in ((PhoneNumberType.MOBILE, plan.mobile), (PhoneNumberType.FIXED_LINE, plan.fixed_line)):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None and numbers is not None:
                yield region, example
                drawn = (_drawn(example, numbers.possible_length, random) for _ in range(of_each_kind * TRIES))
                valid = (number for e164 in drawn if (number := _valid(e164, region)) is not None)
                for number in islice(valid, of_each_kind):
                    yield region, number


def _drawn(example: PhoneNumber, lengths: Sequence[int], random: Random) -> str:
    length, national = random.choice(lengths), phonenumbers.national_significant_number(example)
    kept = national[: random.randint(0, min(4, length - 1))]
    return f"+{example.country_code}{kept}{''.join(random.choices(DIGITS, k=length - len(kept)))}"


def _valid(e164: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None
    valid = phonenumbers.is_valid_number_for_region(number, region) and phonenumbers.number_type(number) in REACHABLE
    same = phonenumbers.format_number(number, PhoneNumberFormat.E164) == e164  # no trunk zero was dropped
    return number if valid and same else None


def ways_to_write(number: PhoneNumber) -> Iterator[str]:
    """Yield ten ways to write a number, each with the number's own country."""
    code, national = str(number.country_code), phonenumbers.national_significant_number(number)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    other = OTHER_DIGITS[int(national) % len(OTHER_DIGITS)]
    yield f"+{code}{national}"
    yield international
    yield phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    yield f"00 {code} {national}"
    yield f"{code}{national}"
    yield f"+{code} (0){national}"
    yield f"+{code} {code} {national}"
    yield international.translate(str.maketrans(DIGITS, other))
    yield "\u200e" + international.replace(" ", "\u00a0").replace("-", "\u2011") + "\u200b"
    yield phonenumbers.format_number(number, PhoneNumberFormat.RFC3966)
