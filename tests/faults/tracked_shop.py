"""A shop with Segment's SDK in its pages, and Yuno's webhooks for its payments: no event has a session id."""

import base64
import hashlib
import hmac
import json
from typing import Any
from zlib import crc32

from tests.faults.collector_hosts import KEY, SECRET
from tests.faults.shop import Visit
from tests.faults.web_shop import Sending, WebShop

EVENTS = {
    "product_selection": "Product Viewed",
    "cart_review": "Cart Viewed",
    "checkout": "Checkout Started",
    "payment": "Payment Info Entered",
}


class TrackedShop(WebShop):
    """Sends calls of an anonymous visitor; the collector finds the session by the ids of the cart and the order."""

    def sending_of(self, visit: Visit, event: dict[str, Any]) -> Sending:
        if event["type"] == "order_completed" and visit.told and crc32(visit.session.encode()) % 2:
            return _payment(visit, event)
        if event["type"] not in {"order_completed", "activity"}:
            return super().sending_of(visit, event)
        return _calls(visit, event)


def _calls(visit: Visit, event: dict[str, Any]) -> Sending:
    common = {"anonymousId": f"anonymous-{visit.session}", "timestamp": event["occurred_at"]}
    name = "Order Completed" if event["type"] == "order_completed" else EVENTS[event["flow_stage"]]
    products = [{"product_id": "K-1", "name": "Kettle", "price": 19.99, "quantity": 1}]
    cart = {"value": 19.99, "currency": "COP", "products": products}
    ids = {"cart_id": visit.session, "order_id": f"order-{visit.session}"}
    calls = [common | {"type": "track", "event": name, "properties": {**ids, **cart}}]
    if customer := event.get("customer"):
        traits = {
            "name": customer["full_name"],
            "phone": customer["phone_number"],
            "email": customer["email"],
            "address": {"country": customer["country_code"]},
        }
        calls.insert(0, common | {"type": "identify", "traits": traits})
    return Sending("/v1/batch", json.dumps({"batch": calls}).encode(), {"authorization": f"Bearer {KEY}"})


def _payment(visit: Visit, event: dict[str, Any]) -> Sending:
    payment = {
        "id": f"payment-{visit.session}",
        "status": "SUCCEEDED",
        "sub_status": "APPROVED",
        "merchant_order_id": f"order-{visit.session}",
        "amount": {"currency": "COP", "value": 19.99},
        "updated_at": event["occurred_at"],
    }
    body = json.dumps({"type_event": "payment.purchase", "data": {"payment": payment}}).encode()
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    return Sending("/yuno", body, {"x-hmac-signature": signature})
