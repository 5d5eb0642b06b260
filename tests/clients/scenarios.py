"""Under what conditions shoppers are played: each scenario has its own gateway, clock or key for each client."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.clients.gateway import Fate
from tests.clients.programs import CLIENTS
from tests.clients.shoppers import Shopper

TWO_HOURS_S = 2 * 60 * 60
_ONE = ("abandons_checkout",)
_BOTH = (*_ONE, "buys")
_ALL = (*_BOTH, "abandons_payment", "abandons_twice", "comes_back_and_buys", "stays_nameless")


@dataclass(frozen=True)
class Scenario:
    """Conditions. The result must be that of the plain scenario; under a wrong key, no contact."""

    stories: Sequence[str] = _BOTH
    fates: tuple[Fate, ...] = ("passed",)
    clock_s: int = 0
    """What the client's clock is ahead."""
    key: str = ""
    """Another key than the right one."""
    code: tuple[str, str] = ("", "")
    """Words of the guide's lines, and what takes their place."""
    clients: Sequence[str] = tuple(CLIENTS)
    in_pages: Sequence[str] = _BOTH
    """The stories of SDKs for browsers: a page takes longer to open than a program to start."""


SCENARIOS: Mapping[str, Scenario] = {
    "plain": Scenario(_ALL, in_pages=_ALL),
    "unavailable": Scenario(fates=("unavailable", "unavailable", "passed")),
    "limited": Scenario(fates=("limited", "passed"), in_pages=_ONE),
    "answers_lost": Scenario(fates=("answer_lost", "answer_lost", "passed")),
    "shuffled": Scenario(("abandons_checkout", "abandons_payment", "buys"), fates=("held",)),
    "clock_ahead": Scenario(clock_s=TWO_HOURS_S, in_pages=_ONE),
    "clock_behind": Scenario(clock_s=-TWO_HOURS_S, in_pages=_ONE),
    "wrong_key": Scenario(_ONE, in_pages=_ONE, key="wrong-key-1"),
    "left": Scenario(in_pages=("abandons_by_leaving",), clients=("segment-browser",)),
    "left_with_beacon": Scenario(
        in_pages=("abandons_by_leaving",),
        code=(
            "{ getSourceConfig",
            "{ useBeacon: true, beaconQueueOptions: { flushQueueInterval: 1000 }, getSourceConfig",
        ),
        clients=("rudder-browser",),
    ),
    "gzip": Scenario(code=(", host=", ", gzip=True, host="), clients=("segment-python", "segment-python-2.3")),
}


def crowds() -> dict[tuple[str, str], list[Shopper]]:
    """Return the shoppers of each scenario and client."""
    found: dict[tuple[str, str], list[Shopper]] = {}
    number = 0
    for name, scenario in SCENARIOS.items():
        for client in scenario.clients:
            found[name, client] = []
            for story in scenario.in_pages if CLIENTS[client].is_browser else scenario.stories:
                found[name, client].append(Shopper(f"{client}-{name}", story, number))
                number += 1
    return found
