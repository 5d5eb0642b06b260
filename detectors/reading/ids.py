"""The ids under which an order's cart may be known: a shop names it where it likes."""

import re
from collections import deque
from collections.abc import Iterator
from itertools import chain

from detectors.activity import MAX_CART_IDS
from detectors.normalize.text import words
from detectors.reading.names import squash
from detectors.reading.values import document, labelled, session_id

_MOST_NODES, _DEEPEST = 400, 4

_ID_NAMES = words("""
    sessionid sessiontoken sessionkey session sid previoussessionid previoussession cartid carttoken cartkey cartguid
    cartuuid cartcode carthash cartreference checkoutid checkouttoken checkoutkey checkoutuuid checkoutreference
    abandonedcheckoutid abandonedcartid quoteid quotetoken quoteguid maskedquoteid basketid baskettoken basketkey
    basketuuid bagid orderformid winbacksessionid winbackid cartids alsosessions visitid idcarrito carritoid
    idcarrinho carrinhoid idpanier panierid idcart idsession idcheckout idbasket idquote anonymousid
    clientreferenceid
    """)
_SHOPIFY_CART = re.compile(r"gid://shopify/Cart/([A-Za-z0-9-]{1,128})(?:\?.*)?", re.IGNORECASE)
_SHOPIFY_TOKEN = re.compile(r"c1-[0-9a-f]{32}|Z2NwL[A-Za-z0-9]{20,}|hW[A-Za-z0-9]{20,}")
"""What `cart_token` of an order holds; the storefront's API says `gid://shopify/Cart/` before it."""
_PARENTS = words(
    "session cart checkout basket bag quote orderform abandonedcheckout abandonedcart carrito carrinho panier"
)
_OF_PARENT = words("id token key uuid guid gid code hash reference")
_NOT_INTO = words("items lineitems products lines")


def cart_ids(event: dict[str, object]) -> tuple[str, ...]:
    """Return every id of a session, cart or checkout that an event names in any field, at most `MAX_CART_IDS`."""
    found: dict[str, None] = {}
    for one in chain.from_iterable(value if isinstance(value, list) else [value] for value in _named(event)):
        read = None if isinstance(one, bool) else session_id(one)
        if read is not None:
            found |= dict.fromkeys((read, *_otherwise(read)))
        if len(found) >= MAX_CART_IDS:
            break
    return tuple(found)[:MAX_CART_IDS]


def _otherwise(text: str) -> Iterator[str]:
    """Yield how a shop's pages call a cart whose order calls it by this id, or the other way round."""
    if of_pages := _SHOPIFY_CART.fullmatch(text):
        yield of_pages[1]
    elif _SHOPIFY_TOKEN.fullmatch(text):
        yield f"gid://shopify/Cart/{text}"


def _named(event: dict[str, object]) -> Iterator[object]:
    todo = deque([("", event, 0)])
    nodes = 0
    while todo and nodes < _MOST_NODES:
        parent, part, depth = todo.popleft()
        for key, value in (*part.items(), *labelled(part)):
            nodes += 1
            name = squash(key)
            if _names_a_cart(parent, name, value):
                yield value
            inner = document(value)
            if depth < _DEEPEST and name not in _NOT_INTO:
                parts = inner if isinstance(inner, list) else [inner]
                todo.extend((name, one, depth + 1) for one in parts if isinstance(one, dict))


def _names_a_cart(parent: str, name: str, value: object) -> bool:
    return (
        name in _ID_NAMES
        or (parent in _PARENTS and name in _OF_PARENT)
        or (name == "token" and parent in {"", "order"})
        or (name in _PARENTS and not isinstance(value, dict | list))
    )


def is_id_field(name: str) -> bool:
    """Whether an order may name its cart by a field of this name, wherever it stands."""
    return squash(name) in _ID_NAMES
