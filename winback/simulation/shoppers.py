"""Plans a shop's worth of fictitious shoppers for the demo, with their actions and times. Pure; one plan per seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Literal

from detectors.flow import PLATFORMS, STAGES, Platform, Stage
from detectors.json_values import JsonObject

Story = Literal[
    "leaves",
    "leaves_nameless",
    "comes_back",
    "pays",
    "pays_late",
    "empties_cart",
    "no_cart",
    "bad_phone",
    "twice",
    "opts_out",
    "declined",
    "pending",
]
"""The course of a shopper's session. `twice`: the same person leaves two carts. `pays_late`: after a sweep claimed it.
"""

# Typical of shops: most visitors are anonymous and just leave, and most buyers pay without a pause.
_SHARES: dict[Story, int] = {
    "leaves_nameless": 38,
    "leaves": 22,
    "pays": 14,
    "comes_back": 6,
    "pays_late": 4,
    "twice": 4,
    "empties_cart": 3,
    "no_cart": 3,
    "bad_phone": 2,
    "opts_out": 2,
    "declined": 1,
    "pending": 1,
}
_LAST_STAGE: dict[Story, int] = {"declined": 3, "pending": 3}
LONGEST_ABSENCE_S = 3.0
"""Beyond the threshold: while the outreach is created, in flight, or just finished."""
_GOODS = (("Wireless Headphones", "WH-1000XM5", 149.99), ("Desk Lamp", "DL-20", 39.5), ("Trail Shoes", "TS-44", 89.0))
_LANGUAGES = {"CO": "es", "BR": "pt_BR", "MX": "es-MX"}


@dataclass(frozen=True, slots=True)
class Planned:
    """One event, to be sent `at_s` seconds after the start, without `occurred_at`, so that its arrival counts."""

    at_s: float
    event: JsonObject


@dataclass(frozen=True, slots=True)
class Shopper:
    """One shopper's session (two for `twice`), with all of its future events."""

    story: Story
    session_id: str
    events: tuple[Planned, ...]


def shoppers(
    number: int, *, over: timedelta, gap: timedelta, waits: Mapping[Stage, timedelta], random: Random
) -> list[Shopper]:
    """Plan shoppers who arrive within `over`.

    `gap` is the usual time between two steps of one shopper. Shoppers who return, or pay late, do so within seconds of
    the threshold (`waits`) of their last stage: exactly when they might be contacted.
    """
    stories = list(_SHARES)
    found: list[Shopper] = []
    while len(found) < number:
        index = len(found)
        story = random.choices(stories, weights=list(_SHARES.values()))[0]
        start_s = random.uniform(0, over.total_seconds())
        customer = _customer(index, story, random)
        carts = 2 if story == "twice" else 1
        for cart in range(carts):
            session_id = f"demo-{index:05d}-{cart}"
            walk = _Walk(story, session_id, customer, start_s + cart * gap.total_seconds(), gap, random)
            steps = [*walk.along(), *walk.ending(waits)]
            found.append(Shopper(story, session_id, tuple(steps)))
    return found


def in_order(plans: Sequence[Shopper]) -> list[Planned]:
    """Return all events of all shoppers in the order of their times."""
    return sorted((planned for shopper in plans for planned in shopper.events), key=lambda planned: planned.at_s)


@dataclass(slots=True)
class _Walk:
    """One shopper's path through the shop; `at_s` advances with every step."""

    story: Story
    session_id: str
    customer: JsonObject | None
    at_s: float
    gap: timedelta
    random: Random
    last: int = 0
    platform: Platform = "web"

    def along(self) -> Iterator[Planned]:
        """Go from stage to stage, up to this shopper's last one."""
        self.platform = self.random.choice(PLATFORMS)
        self.last = _LAST_STAGE.get(self.story) or self.random.choice((1, 2, 3)) if self.story != "no_cart" else 0
        for place, stage in enumerate(STAGES[: self.last + 1]):
            more: JsonObject = {"flow_stage": stage, "platform": self.platform}
            if place == 1:
                more["cart"] = _cart(self.random)
            if place == min(1, self.last) and self.customer is not None:
                more["customer"] = self.customer
            yield self._now("activity", **more)
            self._pause()

    def ending(self, waits: Mapping[Stage, timedelta]) -> Iterator[Planned]:
        """Yield this shopper's final events."""
        match self.story:
            case "pays":
                yield self._order()
            case "pays_late":
                self._stay_away(waits)
                yield self._order()
            case "comes_back":
                self._stay_away(waits)
                yield self._now("activity", flow_stage=STAGES[self.last], platform=self.platform)
                self._pause()
                yield self._order()
            case "empties_cart":
                yield self._now("activity", flow_stage="cart_review", platform=self.platform, cart={"items": []})
            case "opts_out":
                yield self._now("opt_out", customer={"phone_number": (self.customer or {}).get("phone_number")})
            case "declined" | "pending":
                yield self._now(f"payment_{self.story}")

    def _now(self, kind: str, **more: object) -> Planned:
        return Planned(self.at_s, {"session_id": self.session_id, "type": kind, **more})

    def _order(self) -> Planned:
        return self._now("order_completed", order_value=149.99, currency="COP")

    def _pause(self) -> None:
        self.at_s += self.random.expovariate(1 / self.gap.total_seconds())

    def _stay_away(self, waits: Mapping[Stage, timedelta]) -> None:
        self.at_s += waits[STAGES[self.last]].total_seconds() + self.random.uniform(0, LONGEST_ABSENCE_S)


def _customer(index: int, story: Story, random: Random) -> JsonObject | None:
    if story == "leaves_nameless":
        return None
    country, number = random.choice(
        (("CO", f"+57300{index:07d}"), ("BR", f"+551199{index:07d}"), ("MX", f"+5255{index:08d}"))
    )
    if story == "bad_phone":
        number = "+57 12"
    return {
        "full_name": f"Demo Shopper {index}",
        "phone_number": number,
        "email": f"shopper{index}@example.com",
        "country_code": country,
        "language": _LANGUAGES[country],
        "consent": {"call": True, "whatsapp": True},
    }


def _cart(random: Random) -> JsonObject:
    chosen = [(*goods, random.randint(1, 2)) for goods in random.sample(_GOODS, random.randint(1, len(_GOODS)))]
    items = [{"name": name, "sku": sku, "quantity": number, "price": price} for name, sku, price, number in chosen]
    return {"total_value": sum(price * number for *_, price, number in chosen), "currency": "COP", "items": items}
