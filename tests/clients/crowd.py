"""All shoppers of all scenarios at once, since most of their time is waiting."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.chromium import Browser, Page
from tests.clients.gateway import Gateway, Place, gateways
from tests.clients.pages import begin, has_done, served
from tests.clients.programs import CLIENTS, Program, Run
from tests.clients.scenarios import SCENARIOS, crowds
from tests.clients.shoppers import Shopper
from tests.support.running_shop import Shop, until

SEED = 20261201
LAST = Shopper("last", "abandons_checkout", 9999)


@dataclass(frozen=True)
class Played:
    """What has happened."""

    shop: Shop
    crowds: dict[Place, list[Shopper]]
    gateways: dict[Place, Gateway]

    def shopper(self, scenario: str, client: str, story: str) -> Shopper:
        (found,) = [one for one in self.crowds[scenario, client] if one.story == story]
        return found

    def requests_for(self, shopper: Shopper) -> list[dict[str, Any]]:
        """Return the bodies of all requests for a shopper."""
        bodies = [request["body"] for request in self.shop.api.requests()]
        return [
            body for body in bodies if shopper.phone in str(body) or body["session"]["session_id"] == shopper.cart_id
        ]

    def explained(self, shopper: Shopper) -> str:
        """Return what Winback says about a shopper's sessions."""
        return self.shop.cli("explain", "--phone", shopper.phone, code=None)


def play(shop: Shop, folder: Path) -> Played:
    """Let all clients play all of their shoppers. Return when every silence has been judged."""
    port = int(shop.env["WINBACK_COLLECT__PORT"])
    everyone = crowds()
    with ExitStack() as stack:
        fates = {place: SCENARIOS[place[0]].fates for place in everyone}
        played = Played(shop, everyone, stack.enter_context(gateways(port, fates)))
        visits = _pages(stack, played, folder)
        programs = _programs(stack, played, folder)
        for page, shopper in visits:
            begin(page, shopper)
        _shuffle(played)
        for program in programs:
            for scenario, errors in program.errors().items():
                assert bool(errors) is bool(SCENARIOS[scenario].key), (scenario, errors)
        until(lambda: all(has_done(page, shopper) for page, shopper in visits), 60)
        send_last(played, folder)
    return played


def send_last(played: Played, folder: Path) -> None:
    """Let a last shopper abandon a checkout: their contact shows that every earlier silence has been judged."""
    code = CLIENTS["segment-python"].code(f"http://127.0.0.1:{played.shop.env['WINBACK_COLLECT__PORT']}")
    last = Program(CLIENTS["segment-python"], folder, [Run("last", code, [LAST])])
    assert last.errors() == {"last": []}
    until(lambda: played.requests_for(LAST), 60)


def _shuffle(played: Played) -> None:
    """Deliver what each client sent as soon as it's complete, so within the threshold."""

    def deliver(client: str) -> int:
        held, crowd = played.gateways["shuffled", client], played.crowds["shuffled", client]
        # An SDK can repeat a request.
        until(lambda: held.calls >= sum(len(shopper.steps) for shopper in crowd), 60)
        return held.deliver_twice(SEED)

    with ThreadPoolExecutor(len(CLIENTS)) as threads:
        delivered = [*threads.map(deliver, SCENARIOS["shuffled"].clients)]
    assert min(delivered) > 1


def _code(played: Played, scenario: str, client: str) -> str:
    conditions = SCENARIOS[scenario]
    return CLIENTS[client].code(played.gateways[scenario, client].url, conditions.key, conditions.code)


def _programs(stack: ExitStack, played: Played, folder: Path) -> Sequence[Program]:
    """Start a program for each SDK and each clock, and for a wrong key, which can end a program."""
    runs: dict[tuple[str, int, str], list[Run]] = {}
    for (scenario, client), crowd in played.crowds.items():
        if not CLIENTS[client].is_browser:
            run, conditions = Run(scenario, _code(played, scenario, client), crowd), SCENARIOS[scenario]
            runs.setdefault((client, conditions.clock_s, conditions.key), []).append(run)
    programs = [Program(CLIENTS[client], folder, listed, clock_s) for (client, clock_s, _), listed in runs.items()]
    for program in programs:
        stack.callback(program.end)
    return programs


def _pages(stack: ExitStack, played: Played, folder: Path) -> list[tuple[Page, Shopper]]:
    """Open a page for each shopper with an SDK for browsers."""
    crowds = {place: crowd for place, crowd in played.crowds.items() if CLIENTS[place[1]].is_browser}
    port = stack.enter_context(
        served({f"/{scenario}/{client}": _code(played, scenario, client) for scenario, client in crowds})
    )
    browser = stack.enter_context(Browser(folder))
    visits = []
    for (scenario, client), crowd in crowds.items():
        path = f"{port}/{scenario}/{client}?clock_s={SCENARIOS[scenario].clock_s}"
        visits += [(browser.page(f"http://shopper-{one.number}.localhost:{path}"), one) for one in crowd]
    return visits
