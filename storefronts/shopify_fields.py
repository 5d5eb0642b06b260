"""Fields that Shopify's checkouts, orders and carts share."""

from detectors.json_values import JsonObject, JsonValue
from storefronts import customers
from storefronts.carts import currency, item, lines
from storefronts.options import Options
from storefronts.values import at, decimal, first, identifier, label, mapping, text

_PHONES = (
    "phone",
    "customer.phone",
    "shipping_address.phone",
    "billing_address.phone",
    "customer.default_address.phone",
    "sms_marketing_phone",
)
_EMAILS = ("email", "contact_email", "customer.email")
_COUNTRIES = (
    "shipping_address.country_code",
    "billing_address.country_code",
    "customer.default_address.country_code",
    "default_address.country_code",
)
_GID = "gid://shopify/"


def customer(document: JsonObject, options: Options) -> JsonObject:
    """Return the customer of a checkout, an order or a customer's record."""
    parts = [mapping(document.get(name)) for name in ("shipping_address", "customer", "billing_address")]
    own_name = customers.full_name({name: document.get(name) for name in ("first_name", "last_name")})
    return customers.customer(
        name=first(*(customers.full_name(part) for part in parts), own_name),
        phones=_phones(document),
        emails=_emails(document),
        countries=[at(document, path) for path in _COUNTRIES],
        language=text(document.get("customer_locale")).partition("-")[0],
        consent=customers.consent(document, options),
    )


def others(document: JsonObject, known: JsonObject) -> list[JsonObject]:
    """Return the further people that an order names."""
    return customers.others(known, phones=_phones(document), emails=_emails(document))


def token(value: JsonValue) -> str:
    """Return a token. An id of the Storefront API is cut to it: the `key` there is a credential."""
    found = identifier(value)
    return found.rpartition("/")[2].partition("?")[0] if found.startswith(_GID) else found


def money(document: JsonObject, field: str) -> tuple[float | None, str]:
    """Return an amount and its currency, as the shopper saw them if the document has them."""
    presented = mapping(at(document, f"{field}_set.presentment_money"))
    value, code = decimal(presented.get("amount")), currency(presented.get("currency_code"))
    if value is not None and code:
        return value, code
    code = currency(document.get("presentment_currency"), document.get("currency"))
    return decimal(document.get(field)), code


def items(document: JsonObject) -> list[JsonObject] | None:
    """Return the lines of a checkout or an order; None if it has no list of them."""
    return lines(document.get("line_items"), _item)


def _item(row: JsonObject) -> JsonObject:
    title, variant = (
        first(label(row.get("title")), label(row.get("presentment_title"))),
        label(row.get("variant_title")),
    )
    named = f"{title} - {variant}" if title and variant and not title.endswith(variant) else title
    price = decimal(row.get("discounted_price"))
    return item(
        name=named,
        sku=row.get("sku"),
        pieces=row.get("quantity"),
        price=decimal(row.get("price")) if price is None else price,
    )


def _phones(document: JsonObject) -> list[JsonValue]:
    return [at(document, path) for path in _PHONES]


def _emails(document: JsonObject) -> list[JsonValue]:
    return [at(document, path) for path in _EMAILS]
