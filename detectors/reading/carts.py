"""The cart of an event: any form of an emptied one, and amounts as numbers."""

from detectors.activity import Cart, Item
from detectors.normalize import money
from detectors.normalize.text import words
from detectors.normalize.yes_no import answer
from detectors.problem import Problem
from detectors.reading.names import renamed, squash
from detectors.reading.values import document, quantity, scalar, shortened, text

_EMPTIED: dict[str, object] = {"items": []}
LINES = words("items lineitems products lines contents articles")
COUNTS = words("itemcount itemscount itemqty itemsqty count size totalquantity totalitems totalqty")
EMPTIED = words("empty isempty emptied")
_NO_AMOUNT = "can be read as more than one amount, or as none"


def cart(value: object, problems: list[Problem]) -> object:
    """Return the cart in the canonical form, if it is an object or a list."""
    value = document(value)
    if value is None:
        return None
    if isinstance(value, dict):
        return _cart(value, problems)
    if isinstance(value, list) and value:
        return _cart({"items": value}, problems)
    if value in ([], "", 0, False):
        return dict(_EMPTIED)
    return value


def amount(part: dict[str, object], field: str, code: object, problems: list[Problem], *, prefix: str = "") -> None:
    """Replace an amount in text form by its number, or leave it out unless it has exactly one reading."""
    value = scalar(part.get(field))
    if value == "" and isinstance(value, str):
        value = None
    if isinstance(value, str):
        read = money.read(value, code if isinstance(code, str) else None)
        if read is None:
            problems.append(Problem(f"{prefix}{field}", _NO_AMOUNT))
            del part[field]
            return
        value = read
    if field in part:
        part[field] = value


def _cart(value: dict[str, object], problems: list[Problem]) -> dict[str, object]:
    part = renamed(value, Cart, first=True)
    found = {name: part[name] for name in Cart.model_fields if name in part}
    if not value:
        return dict(_EMPTIED)
    if "currency" in found:
        found["currency"] = shortened(found["currency"])
    code = found.get("currency")
    amount(found, "total_value", code, problems, prefix="cart.")
    if "items" in found:
        found["items"] = _items(found["items"], code, problems)
    elif _is_emptied(value):
        found["items"] = []
    if not found:
        # The cart has only the shop's own fields, so it isn't empty.
        found["currency"] = ""
    return found


def _is_emptied(value: dict[str, object]) -> bool:
    for key, inner in value.items():
        name, stated = squash(key), document(scalar(inner))
        if name in LINES and stated in ([], {}):
            return True
        if name in EMPTIED and answer(stated) == "yes":
            return True
        if name in COUNTS and not isinstance(stated, bool) and stated in (0, "0"):
            return True
    return False


def _items(value: object, code: object, problems: list[Problem]) -> object:
    value = document(value)
    if isinstance(value, dict):
        # PHP writes a list that lost a line as an object, and an empty list as `{}`.
        value = [value] if set(renamed(value, Item, first=True)) & set(Item.model_fields) else list(value.values())
    if not isinstance(value, list):
        return value
    lines = [document(line) for line in value if line is not None]
    return [_item(line, index, code, problems) for index, line in enumerate(lines)]


def _item(line: object, index: int, code: object, problems: list[Problem]) -> object:
    if isinstance(line, str):
        return {"name": shortened(line)}
    if isinstance(line, int) and not isinstance(line, bool):
        return {"sku": text(line)}
    if line == []:
        return {}
    if not isinstance(line, dict):
        return line
    part = renamed(line, Item, first=True)
    found = {name: part[name] for name in Item.model_fields if name in part}
    for name in ("name", "sku"):
        if name in found:
            found[name] = shortened(found[name])
    if "quantity" in found:
        found["quantity"] = quantity(found["quantity"])
        if found["quantity"] == "":
            del found["quantity"]
    amount(found, "price", code, problems, prefix=f"cart.items.{index}.")
    return found
