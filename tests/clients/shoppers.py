"""Shoppers: what each of them does at the shop, and the stage of the contact that follows, if one does."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

THRESHOLD_S = 10
"""The silence at checkout or payment after which a contact follows. Only at the end is a shopper silent for longer."""

PRODUCT = {"product_id": "WH-1", "sku": "WH-1000XM5", "name": "Wireless Headphones", "price": 149.99, "quantity": 1}
CART = {"value": 149.99, "currency": "COP", "products": [PRODUCT]}

Step = Mapping[str, Any]
Steps = Iterator[Step]
Stage = Literal["checkout", "payment"]


@dataclass(frozen=True)
class Shopper:
    """One visitor of a shop, known to one client."""

    client: str
    story: str
    number: int

    @property
    def visitor(self) -> str:
        return f"anon-{self.client}-{self.story}"

    @property
    def phone(self) -> str:
        return f"+57300{2000000 + self.number}"

    @property
    def cart_id(self) -> str:
        return f"cart-{self.number}"

    @property
    def order_id(self) -> str:
        return f"A-{self.number}"

    @cached_property
    def steps(self) -> list[Step]:
        return [{**step, "visitor": self.visitor} for step in STORIES[self.story][0](self)]

    @property
    def stage(self) -> Stage | None:
        """The stage of the contact; None if there must be none."""
        return STORIES[self.story][1]

    @property
    def request(self) -> dict[str, Any]:
        """The request for the contact, without the session's id and its moment."""
        return {
            "customer": {
                "full_name": "Jane Doe",
                "phone_number": self.phone,
                "email": f"{self.visitor}@example.com",
                "country_code": "CO",
                "language": "es",
            },
            "session": {"flow_stage": self.stage, "platform": "web"},
            "cart": {
                "total_value": 149.99,
                "currency": "COP",
                "items": [{"name": "Wireless Headphones", "sku": "WH-1000XM5", "quantity": 1, "price": 149.99}],
            },
            "engagement": {"preferred_channel": "auto", "reason": f"user_abandoned_{self.stage}"},
        }


def track(at_s: float, name: str, /, **properties: object) -> Step:
    return {"at_s": at_s, "call": "track", "name": name, "properties": properties}


def checking_out(shopper: Shopper) -> Steps:
    """Browse, tell name and number, fill a cart and begin the checkout."""
    address = {"country": "CO"}
    traits = {"firstName": "Jane", "lastName": "Doe", "phone": shopper.phone, "address": address}
    yield {"at_s": 0, "call": "page", "name": "Home"}
    yield track(1, "Product Viewed", **PRODUCT)
    yield {"at_s": 2, "call": "identify", "traits": {**traits, "email": f"{shopper.visitor}@example.com"}}
    yield track(3, "Cart Viewed", cart_id=shopper.cart_id, **CART)
    yield track(4, "Checkout Started", order_id=shopper.order_id, **CART)


def paying(shopper: Shopper) -> Steps:
    yield from checking_out(shopper)
    yield track(5, "Payment Info Entered", order_id=shopper.order_id)


def buying(shopper: Shopper) -> Steps:
    yield from paying(shopper)
    yield track(6, "Order Completed", order_id=shopper.order_id, total=149.99, **CART)


def coming_back(shopper: Shopper) -> Steps:
    """Look at a product again before the threshold, and buy when it would have passed."""
    yield from checking_out(shopper)
    yield track(9, "Product Viewed", **PRODUCT)
    yield track(13, "Payment Info Entered", order_id=shopper.order_id)
    yield track(17, "Order Completed", order_id=shopper.order_id, total=149.99, **CART)


def abandoning_twice(shopper: Shopper) -> Steps:
    """Begin the checkout again after the contact."""
    yield from checking_out(shopper)
    yield track(20, "Product Viewed", **PRODUCT)
    yield track(21, "Checkout Started", order_id=shopper.order_id, **CART)


def leaving(shopper: Shopper) -> Steps:
    """Leave the page in the moment in which the checkout begins."""
    yield from checking_out(shopper)
    yield {"at_s": 4, "call": "leave"}


def nameless(shopper: Shopper) -> Steps:
    return (step for step in checking_out(shopper) if step["call"] != "identify")


STORIES: Mapping[str, tuple[Callable[[Shopper], Steps], Stage | None]] = {
    "abandons_checkout": (checking_out, "checkout"),
    "abandons_payment": (paying, "payment"),
    "abandons_twice": (abandoning_twice, "checkout"),
    "abandons_by_leaving": (leaving, "checkout"),
    "buys": (buying, None),
    "comes_back_and_buys": (coming_back, None),
    "stays_nameless": (nameless, None),
}


def shoppers(client: str, number: int) -> list[Shopper]:
    """Return a shopper for each story. `number`: of the client, from 0."""
    return [Shopper(client, story, 100 * number + place) for place, story in enumerate(STORIES)]


def plan(crowd: list[Shopper]) -> list[Step]:
    """Return what all of them do, in the order of time."""
    return sorted((step for shopper in crowd for step in shopper.steps), key=lambda step: step["at_s"])
