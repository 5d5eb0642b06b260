"""The ids under which an order's cart may be known: a shop names it where it likes."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from detectors.activity import MAX_CART_IDS
from detectors.normalize.text import words
from detectors.reading.names import squash
from detectors.reading.values import document, session_id

_MOST_NODES, _DEEPEST = 400, 4

_ID_NAMES = words("""
    sessionid sessiontoken sessionkey session sid previoussessionid previoussession cartid carttoken cartkey cartguid
    cartuuid cartcode carthash cartreference checkoutid checkouttoken checkoutkey checkoutuuid checkoutreference
    abandonedcheckoutid abandonedcartid quoteid quotetoken quoteguid maskedquoteid basketid baskettoken basketkey
    basketuuid bagid orderformid winbacksessionid winbackid cartids alsosessions visitid idcarrito carritoid
    idcarrinho carrinhoid idpanier panierid
    """)
_PARENTS = words(
    "session cart checkout basket bag quote orderform abandonedcheckout abandonedcart carrito carrinho panier"
)
_OF_PARENT = words("id token key uuid guid gid code hash reference")
_NOT_INTO = words("items lineitems products lines")


def cart_ids(event: dict[str, Any]) -> tuple[str, ...]:
    """Return every id of a session, cart or checkout that an event names in any field, at most `MAX_CART_IDS`."""
    found: dict[str, None] = {}
    for value in _named(event):
        for one in value if isinstance(value, list) else [value]:
            read = session_id(one)
            if read is not None and not isinstance(one, bool):
                found[read] = None
                if len(found) == MAX_CART_IDS:
                    return tuple(found)
    return tuple(found)


def _named(event: dict[str, Any]) -> Iterator[object]:
    todo = deque([("", event, 0)])
    nodes = 0
    while todo and nodes < _MOST_NODES:
        parent, part, depth = todo.popleft()
        for key, value in part.items():
            nodes += 1
            name = squash(key)
            if (
                name in _ID_NAMES
                or (parent in _PARENTS and name in _OF_PARENT)
                or (name == "token" and parent in {"", "order"})
                or (name in _PARENTS and not isinstance(value, dict | list))
            ):
                yield value
            inner = document(value)
            if depth < _DEEPEST and name not in _NOT_INTO:
                for one in inner if isinstance(inner, list) else [inner]:
                    if isinstance(one, dict):
                        todo.append((name, one, depth + 1))


def is_id_field(name: str) -> bool:
    """Whether an order may name its cart by a field of this name, wherever it stands."""
    return squash(name) in _ID_NAMES
