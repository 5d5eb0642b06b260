"""Each SDK plays each shopper against the running system: the API gets exactly the expected request, or none."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.clients.crowd import Played
from tests.clients.scenarios import SCENARIOS, crowds
from tests.clients.shoppers import Shopper

pytestmark = pytest.mark.e2e

RECENT = timedelta(minutes=10)
CASES = [
    pytest.param(scenario, client, shopper.story, id=f"{scenario}-{client}-{shopper.story}")
    for (scenario, client), crowd in crowds().items()
    for shopper in crowd
]


@pytest.mark.parametrize(("scenario", "client", "story"), CASES)
def test_shopper_is_contacted_as_expected(played: Played, scenario: str, client: str, story: str) -> None:
    shopper: Shopper = played.shopper(scenario, client, story)
    bodies = played.requests_for(shopper)
    is_expected = shopper.stage and not SCENARIOS[scenario].key
    assert len(bodies) == (1 if is_expected else 0), played.explained(shopper)
    for body in bodies:
        moment = datetime.fromisoformat(body["session"].pop("abandonment_timestamp"))
        assert timedelta() < datetime.now(UTC) - moment < RECENT
        assert body["session"].pop("session_id")
        assert body == shopper.request


@pytest.mark.parametrize(("scenario", "client"), [*crowds()])
def test_requests_met_their_scenario(played: Played, scenario: str, client: str) -> None:
    requests, shoppers = played.gateways[scenario, client].requests, played.crowds[scenario, client]
    if SCENARIOS[scenario].key:  # no request is repeated
        assert 0 < played.gateways[scenario, client].calls <= sum(len(shopper.steps) for shopper in shoppers)
    for fate in SCENARIOS[scenario].fates:
        assert fate in {request.fate for request in requests}
    if scenario == "gzip" or client in {"rudder-python", "rudder-node"}:
        assert {request.body[:2] for request in requests} == {b"\x1f\x8b"}
