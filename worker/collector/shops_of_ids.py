"""The shop of a cart, a checkout or an order that a source without shops names by its id.

With several shops, an id counts within its shop. A payment names an order and no shop: it is of the shop that knows the
order.
"""

from collections.abc import Iterator, Sequence

from detectors.json_values import JsonObject
from state.visitor_records import SHOPS
from state.visitors import Visitors

_NO_SHOP = ":"
"""What an id of no shop begins with."""


class ShopsOfIds:
    """Finds the shops of parts. `shops`: within which ids count; empty if there are fewer than two."""

    def __init__(self, visitors: Visitors, shops: Sequence[str]) -> None:
        self._visitors = visitors
        self._shops = shops

    def found(self, parts: Sequence[JsonObject]) -> list[list[JsonObject]]:
        """Return what each part becomes: itself, the same with ids of its shop, or one for each possible shop.

        What stops a contact counts in every shop that knows the id. Anything else only counts if one shop does.

        Raises:
            StateError: Redis doesn't answer.
        """
        known = self._known(parts)
        return [list(self._variants(part, known)) for part in parts]

    def _known(self, parts: Sequence[JsonObject]) -> set[str]:
        """Return the ids of shops that name a session now, or will when these parts are placed."""
        if not self._shops:
            return set()
        asked = list({one for part in parts for shop in self._shops for one in _ids_in(part, shop)})
        sessions = self._visitors.named(SHOPS, asked)
        stored = {one for one, session in zip(asked, sessions, strict=True) if session}
        return stored.union(one for part in parts for one in part["ids"])

    def _variants(self, part: JsonObject, known: set[str]) -> Iterator[JsonObject]:
        shops = [shop for shop in self._shops if not known.isdisjoint(_ids_in(part, shop))]
        if len(shops) == 1 or (shops and _stops(part)):
            for shop in shops:
                yield part | {"ids": _ids_in(part, shop), "name": _name_in(part, shop)}
        else:
            yield part


def _ids_in(part: JsonObject, shop: str) -> list[str]:
    """Return the ids of a part as a shop's own; none if they are a shop's already."""
    return [f"{shop}{one}" for one in part["ids"] if one.startswith(_NO_SHOP)]


def _name_in(part: JsonObject, shop: str) -> str:
    """Return the name of a session that the part begins, which no other shop's id begins."""
    name = part.get("name") or ""
    is_own = not name or (part.get("event") or {}).get("session_id")
    return name if is_own else f"{shop}-{name}"


def _stops(part: JsonObject) -> bool:
    return (part.get("event") or {}).get("type") in {"order_completed", "opt_out"}
