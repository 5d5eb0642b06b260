"""Requests of shops, from samples, and what they become."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from detectors.parsing import parse
from storefronts.delivery import Delivery, header_map
from storefronts.options import NO_OPTIONS, Options
from storefronts.registry import SOURCES
from storefronts.results import Ignored, Result, Translated

SAMPLES = Path(__file__).parents[1] / "storefronts" / "samples"
RECEIVED = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SHOP = "shop-a"


def sample(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def delivery(
    body: object,
    *,
    route: str = "",
    received: datetime = RECEIVED,
    headers: dict[str, str] | None = None,
    shop: str = SHOP,
) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(raw, received, header_map((headers or {}).items()), shop=shop, route=route)


def become(
    source: str,
    body: object,
    *,
    route: str = "",
    topic: str = "",
    headers: dict[str, str] | None = None,
    options: Options = NO_OPTIONS,
    received: datetime = RECEIVED,
) -> Result:
    """What a request becomes; `topic` is Shopify's or WooCommerce's."""
    stated = {"X-Shopify-Topic": topic, "X-WC-Webhook-Topic": topic} if topic else {}
    request = delivery(body, route=route, headers={**stated, **(headers or {})}, received=received)
    return SOURCES[source].result(request, options)


def only(result: Result) -> Translated:
    """The one event that a request became."""
    assert result.ignored == ()
    (found,) = result.translated
    assert problems(found) == ()
    return found


def reason(result: Result) -> str:
    """Why a request became nothing."""
    (found,) = result.parts
    assert isinstance(found, Ignored)
    return found.reason


def problems(part: Translated) -> tuple[str, ...]:
    """What the model of an event has against an event, once its session is found."""
    event = part.event if part.session_by == "id" else {"session_id": "found", **part.event}
    parsed = parse(to_json(event))
    return tuple(map(str, parsed.problems)) if parsed.event else ("rejected", *map(str, parsed.problems))
