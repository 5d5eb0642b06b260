"""The sessions that the ids of a shop's own tools name: of carts, checkouts and orders that the collector has seen."""

from collections.abc import Iterator
from typing import NamedTuple, get_args

from state.visitor_records import SHOPS
from state.visitors import Visitors
from storefronts.results import Alias, AliasKind
from storefronts.values import identifier
from worker import runtime
from worker.runtime import State
from worker.settings import Settings


class Named(NamedTuple):
    """A session that an id names."""

    session: str
    by: str
    """What the id is, such as `order 17 of shop-a`."""


def sessions_named(state: State, settings: Settings, asked: str) -> list[Named]:
    """Return the sessions that an id names, each once. Without an identity secret, none can be found.

    A plain number can be of a cart, a checkout and an order. With several shops, each can have the same ids.
    """
    value = identifier(asked)
    if not value or settings.identity_secret is None:
        return []
    meanings = dict(_meanings(settings, value))
    visitors = Visitors(state.scripts, state.keys, runtime.identity_secret(settings))
    found: dict[str, Named] = {}
    for by, session in zip(meanings.values(), visitors.named(SHOPS, list(meanings)), strict=True):
        if session:
            found.setdefault(session, Named(session, by))
    return list(found.values())


def _meanings(settings: Settings, value: str) -> Iterator[tuple[str, str]]:
    """Yield each id under which the collector can have kept one, and what it is then."""
    for shop in ("", *sorted({*settings.collect.shopify, *settings.collect.woocommerce})):
        for kind in get_args(AliasKind):
            what = f"{kind} {value}" if value.isdigit() else value
            yield f"{shop}:{Alias(kind, value).key}", f"{what} of {shop}" if shop else what
