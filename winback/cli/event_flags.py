"""From the flags of `winback event emit` to an event."""

from collections.abc import Mapping

from detectors.json_values import JsonObject
from worker.errors import StartError

_ITEM_PARTS = 4


def nested(values: Mapping[str, object]) -> JsonObject:
    """Return `{"cart.items": x}` as `{"cart": {"items": x}}`, without what is None."""
    result: JsonObject = {}
    for path, value in values.items():
        if value is not None:
            part, _, name = path.rpartition(".")
            (result.setdefault(part, {}) if part else result)[name] = value
    return result


def items(written: list[str] | None) -> list[JsonObject] | None:
    """Read `NAME:SKU:QUANTITY:PRICE`, from the right: a name may hold colons. Parts may be empty.

    Raises:
        StartError: one of them is something else.
    """
    return [_item(text, place) for place, text in enumerate(written, 1)] if written else None


def _item(text: str, place: int) -> JsonObject:
    parts = text.rsplit(":", _ITEM_PARTS - 1)
    try:
        name, sku, quantity, price = parts
        read = {
            "name": name or None,
            "sku": sku or None,
            "quantity": int(quantity) if quantity else None,
            "price": float(price) if price else None,
        }
    except ValueError:
        raise StartError(
            f"--item (number {place}): write NAME:SKU:QUANTITY:PRICE, like Headphones:WH-1000:1:149.99"
        ) from None
    return {key: value for key, value in read.items() if value is not None}


def pairs(written: list[str] | None) -> dict[str, str] | None:
    """Read `KEY=VALUE`.

    Raises:
        StartError: one of them has no key or no equals sign.
    """
    if not written:
        return None
    split = [text.partition("=") for text in written]
    for place, (key, equals, _) in enumerate(split, 1):
        if not key or not equals:
            raise StartError(f"--metadata (number {place}): write KEY=VALUE, like utm_campaign=spring_sale")
    return {key: value for key, _, value in split}


def put_currency(flags: JsonObject, currency: str) -> None:
    """Write the one currency of the command line beside each amount.

    Raises:
        StartError: there is no amount.
    """
    if "cart" not in flags and "order_value" not in flags:
        raise StartError("--currency: needs an amount: --cart-total, --item or --order-value")
    if "cart" in flags:
        flags["cart"]["currency"] = currency
    if "order_value" in flags:
        flags["currency"] = currency
