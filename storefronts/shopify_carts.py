"""Shopify's carts and checkouts."""

from collections.abc import Iterator

from detectors.json_values import JsonObject
from storefronts import events
from storefronts.carts import cart, currency
from storefronts.results import Part
from storefronts.shopify_fields import customer, items, money, others, token
from storefronts.shopify_webhook import Webhook
from storefronts.values import at, decimal, rows


def read_cart(webhook: Webhook) -> Iterator[Part]:
    """Yield what `carts/create` and `carts/update` become: a cart without lines was emptied."""
    document = webhook.document
    session_id, lines = token(document.get("token")) or token(document.get("id")), items(document)
    if not session_id:
        yield webhook.ignored("names no cart")
        return
    whole = None if lines is None else cart(lines, total=_total(document), currency_code=_currency(document))
    yield webhook.translated(
        events.activity("cart_review", webhook.occurred("updated_at"), session_id=session_id, cart=whole),
        aliases=events.aliases(cart=session_id),
    )


def read_checkout(webhook: Webhook) -> Iterator[Part]:
    """Yield what `checkouts/create` and `checkouts/update` become."""
    document = webhook.document
    of_cart, own = token(document.get("cart_token")), token(document.get("token"))
    session_id = of_cart or own
    if not session_id:
        yield webhook.ignored("names no checkout")
        return
    known, whole = customer(document, webhook.options), _whole(document)
    if document.get("completed_at"):
        value, code = money(document, "total_price")
        event = events.order(
            webhook.occurred("completed_at", "updated_at"),
            session_id=session_id,
            customer=known,
            value=value,
            currency=code,
            cart_ids=events.cart_ids(session_id, events.aliases(checkout=own)),
            also_named=others(document, known),
        )
    else:
        event = events.activity(
            "checkout",
            webhook.occurred("updated_at"),
            session_id=session_id,
            customer=known,
            cart=whole,
            metadata=events.metadata(abandoned_checkout_url=document.get("abandoned_checkout_url")),
            previous_session_id=own if own != session_id else "",
        )
    yield webhook.translated(
        event,
        aliases=events.aliases(cart=of_cart, checkout=own),
    )


def _whole(document: JsonObject) -> JsonObject | None:
    lines = items(document)
    total, code = money(document, "total_price")
    return None if lines is None else cart(lines, total=total, currency_code=code)


def _total(document: JsonObject) -> float | None:
    """Return the sum of the lines; None if one of them has none."""
    found = [decimal(row.get("line_price")) for row in rows(document.get("line_items"))]
    prices = [price for price in found if price is not None]
    return round(sum(prices), 9) if found and len(prices) == len(found) else None


def _currency(document: JsonObject) -> str:
    """Return the currency of the lines: a cart itself has none. Their prices are in the shop's currency."""
    return currency(*(at(row, "price_set.shop_money.currency_code") for row in rows(document.get("line_items"))))
