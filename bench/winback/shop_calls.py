"""Calls of Segment's specification as a shop's SDK sends them: the collector has to find the session of each."""

import json
from random import Random

_STEPS = ("Product Viewed", "Cart Viewed", "Checkout Started", "Payment Info Entered")


def call(number: int, random: Random) -> dict[str, object]:
    products = [
        {"product_id": f"p-{random.randrange(500)}", "name": "Shoe", "price": 89.9, "quantity": 1}
        for _ in range(1 + number % 3)
    ]
    return {
        "type": "track",
        "event": _STEPS[number % len(_STEPS)],
        "anonymousId": f"{random.getrandbits(128):032x}",
        "messageId": f"ajs-{random.getrandbits(64):016x}",
        "timestamp": "2026-11-22T16:40:00.000Z",
        "context": {
            "ip": "203.0.113.7",
            "library": {"name": "analytics.js", "version": "2.11.1"},
            "page": {"path": "/checkout", "url": "https://shop.example/checkout"},
            "traits": {"email": f"shopper-{number}@example.com", "firstName": "Jane"},
        },
        "properties": {"cart_id": f"cart-{number}", "currency": "COP", "products": products, "value": 179.8},
    }


def single() -> bytes:
    return json.dumps(call(1, Random(1))).encode()


def batch(calls: int) -> bytes:
    random = Random(1)
    return json.dumps({"batch": [call(number, random) for number in range(calls)]}).encode()
