"""For any data of a shop, the request keeps the contract."""

import json
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.parsing import parse
from detectors.sequence import Position, position
from detectors.session_fields import fields_of
from tasks.delivery.payload import Built, InvalidContact, build
from winback.simulation.mock_api.contract import check_body

ARRIVAL_MS = 1_747_176_305_000  # 2025-05-13T22:45:05Z


def read(event: Mapping[str, object]) -> tuple[Position, dict[str, str]]:
    parsed = parse(json.dumps(event).encode())
    assert parsed.event is not None
    assert not parsed.problems
    return position(parsed.event, ARRIVAL_MS), fields_of(parsed.event)


def stored(**parts: object) -> dict[str, str]:
    """Return the stored fields of an event with the given parts."""
    return read({"session_id": "s", "type": "exit", **parts})[1]


def built(fields: Mapping[str, str]) -> Built | InvalidContact:
    return build(fields, session_id="s", stage="checkout", platform="web", abandoned_ms=ARRIVAL_MS, reason="own_reason")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
texts = st.none() | st.text(max_size=30)
odd = texts | st.sampled_from(
    ["Jane", "es", "x-y", "i-default", "a@b.co", "ä@ö.de", "COP", "XAU", "CO", "call", "AUTO"]
)
events = st.fixed_dictionaries(
    {
        "customer": st.fixed_dictionaries(
            {"phone_number": st.sampled_from(["+573001234567", "300 123 4567", "+800 1234 5678"])},
            optional={"full_name": odd, "email": odd, "country_code": odd, "language": odd},
        )
    },
    optional={
        "cart": st.fixed_dictionaries(
            {},
            optional={
                "total_value": st.none() | st.floats(0, 1e12),
                "currency": odd,
                "items": st.lists(
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "name": texts,
                            "sku": texts,
                            "quantity": st.none() | st.integers(0, 10**6),
                            "price": st.none() | st.floats(0, 1e12),
                        },
                    ),
                    max_size=3,
                ),
            },
        ),
        "engagement": st.fixed_dictionaries(
            {},
            optional={
                "preferred_channel": odd,
                "reason": odd,
                "metadata": st.dictionaries(st.text(max_size=8), json_values, max_size=4),
            },
        ),
    },
)


@given(events)
@settings(deadline=None, max_examples=300)
def test_any_input_keeps_the_contract_or_makes_no_request(event: dict[str, object]) -> None:
    found = built(stored(**event))
    if isinstance(found, Built):
        assert check_body(found.request.to_json().encode()).breaches == []
