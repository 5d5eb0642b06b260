"""What the contacts earned: the orders and the revenue beyond those that the holdout lets expect. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from detectors.json_values import JsonObject
from winback.operations.lift import Comparison

_ZERO = Decimal(0)


def earned(found: Comparison, contacted: Mapping[str, Decimal], holdout: Mapping[str, Decimal]) -> JsonObject | None:
    """Return the orders and the revenue beyond the expected ones; None while there are too few people or orders.

    The holdout's orders and revenue are scaled to the number of contacted people. The orders have a 95 % interval.
    Revenue has none, because the values of orders differ too much. An order without a value counts as zero.

    Args:
        found: The two groups compared.
        contacted: The revenue after contacts by currency.
        holdout: The revenue of the holdout by currency.
    """
    if found.difference is None or found.difference_interval is None:
        return None
    people = found.contacted.people
    scale = Decimal(people) / found.holdout.people
    expected = {code: round(amount * scale, 2) for code, amount in holdout.items()}
    return {
        "orders": found.difference * people,
        "orders_95": [end * people for end in found.difference_interval],
        "expected_orders": people * found.holdout.orders / found.holdout.people,
        "revenue": {
            code: float(contacted.get(code, _ZERO) - expected.get(code, _ZERO))
            for code in sorted({*contacted, *expected})
        },
        "expected_revenue": {code: float(amount) for code, amount in expected.items()},
    }
