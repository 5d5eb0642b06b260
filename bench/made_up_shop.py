"""Makes a shop from a published clickstream, with synthetic customers, prices and platforms, which such datasets lack.

All synthetic data follows from ids, so the same input always gives the same events. The phone numbers are valid, so
each of them can belong to a real person. Replay them in shadow mode or against `winback mock-api`, never live.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Literal

from detectors.activity import MAX_CART_ITEMS
from detectors.flow import PLATFORMS, Platform

CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class Click:
    """One row of a dataset; `ms` is Unix ms, `order` identifies the rows of one order."""

    session: str
    visitor: int
    ms: int
    action: Literal["view", "add", "order"]
    items: tuple[str, ...]
    order: str = ""


@dataclass(frozen=True, slots=True)
class Country:
    """`mobile` and any eight digits make a number that phonenumbers calls valid."""

    code: str
    language: str
    mobile: str


COUNTRIES = (
    Country("CO", "es", "+5731"),
    Country("MX", "es", "+5255"),
    Country("BR", "pt-BR", "+55119"),
    Country("PE", "es", "+519"),
    Country("ES", "es", "+346"),
)


def one_order_each(clicks: Iterable[Click]) -> list[Click]:
    """Return clicks by time, with the rows of an order merged: the datasets have a row for each of its items."""
    result: list[Click] = []
    places: dict[tuple[str, str], int] = {}
    for click in sorted(clicks, key=lambda click: click.ms):
        key = (click.session, click.order)
        if click.action == "order" and key in places:
            place = places[key]
            result[place] = replace(result[place], items=result[place].items + click.items)
            continue
        if click.action == "order":
            places[key] = len(result)
        result.append(click)
    return result


def overlaid(clicks: list[Click], window_ms: int) -> list[Click]:
    """Move every session as a whole, so that all start within the window after the first click.

    The gaps inside a session stay exact, so thresholds keep their real meaning. The order of a visitor's different
    sessions and the shop's daily rhythm are lost.
    """
    if not clicks:
        return []
    starts: dict[str, int] = {}
    for click in clicks:
        starts.setdefault(click.session, click.ms)
    shifts = {
        session: clicks[0].ms + int(_share("start", session) * window_ms) - start for session, start in starts.items()
    }
    moved = (replace(click, ms=click.ms + shifts[click.session]) for click in clicks)
    return sorted(moved, key=lambda click: click.ms)


def with_gaps_capped(clicks: list[Click], cap_ms: int) -> list[Click]:
    """Shorten every time without any activity in the shop to at most the cap.

    That shortens the silence within sessions too. With a cap at or above the longest threshold it changes no verdict: a
    silence longer than the cap is still at least the cap, and any other is unchanged. With a smaller cap, sessions that
    were abandoned and resumed seem never to have been silent.
    """
    result: list[Click] = []
    cut = before = 0
    for click in clicks:
        if result:
            cut += max(0, click.ms - before - cap_ms)
        before = click.ms
        result.append(replace(click, ms=click.ms - cut))
    return result


def events(clicks: Iterable[Click], *, anonymous: float) -> Iterator[dict[str, object]]:
    """Yield Winback's events for clicks by time; `anonymous` is the share of visitors who never give their data.

    The others give it with the first item in a session's cart (or an order without one). A whole cart is sent whenever
    it changes.
    """
    carts: dict[str, dict[str, int]] = {}
    known: set[str] = set()
    for click in clicks:
        cart = carts.setdefault(click.session, {})
        event: dict[str, object] = {"session_id": click.session, "occurred_at": _iso(click.ms)}
        if click.action == "order":
            value = sum(price(item) * cart.get(item, 1) for item in dict.fromkeys(click.items))
            event |= {"type": "order_completed", "order_value": round(value, 2), "currency": CURRENCY}
            for item in click.items:
                cart.pop(item, None)
        else:
            stage = "product_selection" if click.action == "view" else "cart_review"
            event |= {"type": "activity", "flow_stage": stage, "platform": platform(click.visitor)}
        if click.action == "add":
            for item in click.items:
                cart[item] = cart.pop(item, 0) + 1
                if len(cart) > MAX_CART_ITEMS:
                    del cart[next(iter(cart))]
        if click.action != "view":
            event["cart"] = _cart_as_data(cart)
            if not is_anonymous(click.visitor, anonymous):
                known.add(click.session)
        if click.session in known:
            event["customer"] = customer(click.visitor)
        yield event


def customer(visitor: int) -> dict[str, object]:
    """Return a visitor's customer. Different visitors below 500 million have different numbers."""
    number, place = divmod(visitor, len(COUNTRIES))
    country = COUNTRIES[place]
    return {
        "full_name": f"Visitor {visitor}",
        "phone_number": f"{country.mobile}{number % 10**8:08d}",
        "email": f"visitor.{visitor}@example.com",
        "country_code": country.code,
        "language": country.language,
        "consent": {"call": True, "whatsapp": True},
    }


def is_anonymous(visitor: int, share: float) -> bool:
    """Return whether a visitor is among the share (0 to 1) of anonymous ones."""
    return _share("anonymous", visitor) < share


def platform(visitor: int) -> Platform:
    """Return a visitor's platform."""
    return PLATFORMS[int(_share("platform", visitor) * len(PLATFORMS))]


def price(item: str) -> float:
    """Return an item's price, 5.00 to 500.00."""
    return round(5 + 495 * _share("price", item), 2)


def to_line(event: dict[str, object]) -> str:
    """Return an event as one line of JSON."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _cart_as_data(cart: dict[str, int]) -> dict[str, object]:
    items = [
        {"name": f"Item {item}", "sku": item, "quantity": quantity, "price": price(item)}
        for item, quantity in cart.items()
    ]
    total = sum(price(item) * quantity for item, quantity in cart.items())
    return {"total_value": round(total, 2), "currency": CURRENCY, "items": items}


def _share(purpose: str, of: object) -> float:
    """Return a number in [0, 1) that only depends on the arguments."""
    digest = blake2b(f"{purpose}:{of}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
