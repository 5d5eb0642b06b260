"""The missing and invalid parts of a customer, as `winback explain` names them."""

from collections.abc import Mapping

import pytest

from detectors.session_fields import PHONE_COUNTRY
from tests.support.decision_support import Shop
from tests.support.events import event, happen
from tests.support.explaining import shop, told
from winback.operations.contact_problems import contact_problems

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")
NAMED = {"name": "Jane Doe"}
NUMBER, COUNTRY = "customer.phone_number", "customer.country_code"


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({}, [f"{NUMBER} is missing", "customer.full_name is missing"]),
        ({**NAMED, "phone": "+573001234567"}, []),
        ({**NAMED, "phone": "3001234567"}, [f"{COUNTRY} is missing, and the number has no + and country code"]),
        (
            {**NAMED, "phone": "3001234567", "country": "Colmbia"},
            [f"{COUNTRY} is not a country, and the number has no + and country code"],
        ),
        ({**NAMED, "phone": "3001234567", "country": "CO"}, []),
        ({**NAMED, "phone": "30012", "country": "CO"}, [f"{NUMBER} is not a valid number in CO"]),
        ({**NAMED, "phone": "+57300"}, [f"{NUMBER} is not a valid number"]),
        ({**NAMED, "phone": "+38344123456"}, [f"{COUNTRY} is missing, and the number is of no country"]),
        ({"name": "????", "phone": "+573001234567"}, ["customer.full_name is not a person's name"]),
    ],
)
def test_missing_and_invalid_parts_are_named(fields: Mapping[str, str], problems: list[str]) -> None:
    assert contact_problems(fields) == problems


def test_number_that_a_later_country_changes_is_named() -> None:
    fields = {**NAMED, "phone": "11 2345 6789", PHONE_COUNTRY: "AR", "country": "BR"}
    (problem,) = contact_problems(fields)
    assert problem.startswith(f"{NUMBER} ")


def test_explain_names_the_parts_without_their_values(shop: Shop) -> None:
    happen(shop.state, event(customer={"full_name": "Jane Doe", "phone_number": "3001234567"}))
    problem = f"{COUNTRY} is missing, and the number has no + and country code"
    assert told(shop)["session"]["contact_problems"] == [problem]
    shown = shop.run("explain", "s-1")
    assert f"no contact     {problem}" in shown
    assert "3001234567" not in shown


def test_explain_lists_no_parts_of_a_session_that_ended(shop: Shop) -> None:
    happen(shop.state, event(), ago_ms=1000)
    happen(shop.state, event("order_completed", stage=None))
    assert told(shop)["session"]["contact_problems"] == []
