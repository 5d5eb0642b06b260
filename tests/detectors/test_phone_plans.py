import pytest

from detectors.normalize.identities import of_number
from detectors.normalize.number_kinds import is_valid
from detectors.normalize.phones import phone, reading
from detectors.normalize.renumbered_plans import CHANGES, STILL_IN_THE_PLANS, PlanChange

ALL = [*CHANGES, *STILL_IN_THE_PLANS]


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("AR", "+54 9 351 15 612-3456", "+5493516123456"),
        ("AR", "2966 15 41-2345", "+5492966412345"),
        ("BJ", "97 12 34 56", "+2290197123456"),
        ("BJ", "+229 21 30 12 34", "+2290121301234"),
        ("BR", "(51) 8765-4321", "+5551987654321"),
        ("BR", "+55 11 6123-4567", "+5511961234567"),
        ("BR", "00 55 51 8765-4321", "+5551987654321"),
        ("CI", "07 08 09 10", "+2250707080910"),
        ("CI", "+225 44 12 34 56", "+2250544123456"),
        ("CI", "+225 01 12 34 56", "+2250101123456"),
        ("CI", "20 21 23 45", "+2252720212345"),
        ("CI", "22 40 12 34", "+2252722401234"),
        ("CI", "22 00 12 34", "+2252522001234"),
        ("CI", "21 80 12 34", "+2252121801234"),
        ("CL", "9876 5432", "+56998765432"),
        ("CL", "09 8765 4321", "+56987654321"),
        ("CL", "02 2345 6789", "+56223456789"),
        ("CL", "+56 2 345 6789", "+56223456789"),
        ("CL", "+56 32 256 789", "+56322256789"),
        ("CO", "(1) 234 5678", "+576012345678"),
        ("CO", "+57 1 234 5678", "+576012345678"),
        ("CO", "+57 (4) 444 1234", "+576044441234"),
        ("CO", "57 2 667 1234", "+576026671234"),
        ("CO", "09 5 361 1234", "+576053611234"),
        ("CO", "031 234 5678", "+576012345678"),
        ("EC", "09 912 3456", "+593999123456"),
        ("GA", "+241 07 12 34 56", "+24177123456"),
        ("GA", "06 12 34 56", "+24166123456"),
        ("GA", "01 44 12 34", "+24111441234"),
        ("MU", "+230 912 3456", "+23059123456"),
        ("MX", "+52 1 33 1234 5678", "+523312345678"),
        ("MX", "044 1 55 1234 5678", "+525512345678"),
        ("NG", "01 463 0643", "+2342014630643"),
        ("NG", "+234 9 463 0643", "+2342094630643"),
        ("SI", "+386 49 123 456", "+38349123456"),
        ("TJ", "8 93 123 4567", "+992931234567"),
        ("UZ", "8 90 123 45 67", "+998901234567"),
        ("VN", "0120 123 4567", "+84701234567"),
        ("VN", "+84 168 123 4567", "+84381234567"),
        ("VN", "0199 612 3456", "+84596123456"),
        ("VN", "04 3825 1234", "+842438251234"),
        ("VN", "0511 3825 123", "+842363825123"),
        ("ZW", "04 791 234", "+263242791234"),
        ("ZW", "+263 9 712 34", None),
    ],
)
def test_an_old_number_is_read_as_what_it_became(code: str, old: str, new: str | None) -> None:
    assert phone(old, code) == new


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("BR", "+55 55 98765-4321"),  # the area has the digits of the country code
        ("BR", "(55) 98765-4321"),
        ("CO", "601 234 5678"),
        ("VN", "033 612 3456"),  # a mobile today, an area before 2017
        ("CL", "2 2345 6789"),
        ("CL", "9 8765 4321"),
    ],
)
def test_a_number_of_today_is_not_taken_for_an_old_one(code: str, text: str) -> None:
    found = reading(text, code)
    assert found.e164
    assert "201" not in found.note.rpartition(": ")[2]
    assert "added" not in found.note


def test_an_old_number_with_two_successors_is_none() -> None:
    # A mobile without its 9, or a fixed line of Concepción without its 2.
    assert reading("41 234 567", "CL").e164 == "+56412234567"
    assert "two readings" in reading("71 234 567", "CL").why_not


@pytest.mark.parametrize("change", ALL, ids=lambda change: f"{change.code} {change.old.pattern}")
def test_every_change_leads_to_a_number_that_exists(change: PlanChange) -> None:
    seeds = ("234567890", "612345678", "401234567", "800123456", "212345678", "123456789", "987654321", "001234567")
    texts = {pattern for seed in seeds for pattern in _old_numbers(change, seed)}
    assert any(
        is_valid(change.to_code, found.expand(change.new)) for text in texts if (found := change.old.fullmatch(text))
    )


def _old_numbers(change: PlanChange, seed: str) -> set[str]:
    """Return possible old numbers: every prefix of up to five digits that the pattern names, then a seed."""
    heads = {str(number) for number in range(1, 1000)} | {f"0{number}" for number in range(100)}
    heads |= {f"{area}15" for area in (11, 351, 2966)} | {"01", "044", "045"}
    return {
        head + seed[:size] for head in heads for size in range(5, 10) if change.old.fullmatch(head + seed[:size])
    } | {f"{head}{area}{seed[:8]}" for head in ("01", "044", "1") for area in (33, 55) if change.code == "52"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5491155551234", "+541155551234"),
        ("+5511976543210", "+551176543210"),
        ("+24177123456", "+24107123456"),
        ("+24166123456", "+2416123456"),
    ],
)
def test_two_forms_of_one_line_have_one_identity(one: str, other: str) -> None:
    assert of_number(one) == of_number(other)
