"""The events of Segment's e-commerce specification, with their older names."""

from collections.abc import Mapping
from typing import Literal

from detectors.flow import Stage
from detectors.reading.names import squash

_BROWSING = """
    Products Searched, Product List Viewed, Viewed Product Category, Product List Filtered, Product Clicked,
    Clicked Product, Product Viewed, Viewed Product, Promotion Viewed, Promotion Clicked, Product Shared,
    Product Reviewed, Product Added to Wishlist, Product Removed from Wishlist
"""
_CART = """
    Product Added, Added Product, Product Removed, Removed Product, Cart Viewed, Viewed Cart, Coupon Entered,
    Coupon Applied, Coupon Denied, Coupon Removed, Cart Shared, Wishlist Product Added to Cart
"""
_CHECKOUT = """
    Checkout Started, Started Order, Checkout Step Viewed, Viewed Checkout Step, Checkout Step Completed,
    Completed Checkout Step
"""
_PAYMENT = "Payment Info Entered, Entered Payment Info"


def _names(text: str) -> list[str]:
    return [squash(name) for name in text.split(",")]


EVENTS = (
    "identify",
    "page",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Cart Viewed",
    "Checkout Started",
    "Checkout Step Completed",
    "Payment Info Entered",
    "Order Completed",
)
"""The calls and events of a whole story. The names below are understood, too."""

STAGES: Mapping[str, Stage] = {
    **dict.fromkeys(_names(_BROWSING), "product_selection"),
    **dict.fromkeys(_names(_CART), "cart_review"),
    **dict.fromkeys(_names(_CHECKOUT), "checkout"),
    **dict.fromkeys(_names(_PAYMENT), "payment"),
}
"""By squashed name: the stage at which a shopper did it."""
WHOLE_CARTS = frozenset(_names("Cart Viewed, Viewed Cart, Checkout Started, Started Order"))
"""Their products are the cart. Those of other events are what was added or removed."""
STEPS = frozenset(
    _names("Checkout Step Viewed, Viewed Checkout Step, Checkout Step Completed, Completed Checkout Step")
)
TAKEN_BACK = frozenset(
    _names("Order Updated, Order Refunded, Refunded Order, Order Cancelled, Cancelled Order, Order Canceled")
)
"""They aren't about a shopper at the shop."""

ROUTES: Mapping[str, Literal["track", "identify", "page", "screen", "alias", "group", "batch", "metrics", "merge"]] = {
    **{name: name for name in ("track", "identify", "page", "screen", "alias", "group", "batch", "merge")},
    "import": "batch",
    "t": "track",
    "i": "identify",
    "p": "page",
    "s": "screen",
    "a": "alias",
    "g": "group",
    "b": "batch",
    "m": "metrics",
}
"""The last part of the path, as the SDKs of Segment and RudderStack have it, and the call that it is for."""
