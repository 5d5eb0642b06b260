"""An experiment with real processes: people stop, return and buy, and the workers are killed during a delay."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any

import pytest

from state import daily_counters
from state.people import person_of
from tasks.policy.experiment import ExperimentSettings
from tests.support.running_shop import CART, CHECKOUT, THRESHOLD, Shop, jane, running_shop, until
from winback.operations.experiment import Findings, findings
from worker import runtime
from worker.settings import load

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]

DELAY = timedelta(seconds=8)
PEOPLE = 40
PAID = "+573005559999"
"""A person who pays at once. They aren't in the experiment."""
SETTINGS = {
    "NAME": "delays",
    "START": (datetime.now(UTC) - timedelta(days=1)).date().isoformat(),
    "HOLDOUT": "25",
    "SALT": "e2e",
    "ARMS__NOW__DELAY": "off",
    "ARMS__LATER__DELAY": f"{DELAY.total_seconds():.0f}s",
    "ARMS__MESSAGE__CHANNEL": "whatsapp",
}


@dataclass
class Played:
    """What the shoppers did."""

    shop: Shop
    arms: dict[str, str] = field(default_factory=dict)
    """The expected arm of each phone number."""
    stopped_at: dict[str, float] = field(default_factory=dict)
    """When each person was last active (Unix s)."""
    buyers: set[str] = field(default_factory=set)
    bought_in_delay: set[str] = field(default_factory=set)
    returned: dict[str, str] = field(default_factory=dict)
    """The session in which a person returned during the delay."""

    def of(self, arm: str) -> list[str]:
        return [phone for phone, own in self.arms.items() if own == arm]

    def stop(self, phone: str, session: str = "") -> None:
        self.stopped_at[phone] = time()
        self.shop.send(session or session_of(phone), **CHECKOUT, customer=jane(phone_number=phone), cart=CART)

    def buy(self, phone: str) -> None:
        self.buyers.add(phone)
        self.shop.send(session_of(phone), "order_completed", order_value=10, currency="COP")

    def outreaches(self) -> list[dict[str, str]]:
        keys = list(self.shop.redis.scan_iter("winback:{*}:outreach:*"))
        found = [self.shop.redis.hgetall(key) for key in keys]
        return [{name.decode(): text.decode(errors="replace") for name, text in one.items()} for one in found]

    def requests(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {phone: [] for phone in self.arms}
        for request in self.shop.api.requests():
            found.setdefault(request["body"]["customer"]["phone_number"], []).append(request)
        return found

    def contacted(self) -> set[str]:
        return {phone for phone, requests in self.requests().items() if requests}

    def findings(self) -> Findings:
        """Return the comparison as the report shows it once the windows are over."""
        settings = load(self.shop.env)
        state = runtime.open_state(settings)
        today, zone = daily_counters.today(state.scripts, state.keys)
        counts = daily_counters.read(state.scripts, state.keys, today - 1, today)
        found = findings(counts, settings.experiment, datetime.now(UTC) + timedelta(days=5), zone)
        assert found is not None
        return found


def session_of(phone: str) -> str:
    return f"s-{phone[-4:]}"


def expected_arm(shop: Shop, phone: str) -> str:
    settings = load(shop.env)
    assert settings.identity_secret is not None
    person = person_of(phone, settings.identity_secret.get_secret_value().encode())
    experiment: ExperimentSettings = settings.experiment
    arm = experiment.arm_of(person, "checkout", int(time() * 1000))
    assert arm is not None
    return arm.name


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    settings = {f"WINBACK_EXPERIMENT__{name}": value for name, value in SETTINGS.items()}
    with running_shop(tmp_path_factory.mktemp("experiment"), **settings) as shop:
        played = Played(shop)
        _play(played)
        yield played


def _play(played: Played) -> None:
    for number in range(PEOPLE):
        phone = f"+57300555{number:04d}"
        played.arms[phone] = expected_arm(played.shop, phone)
    for phone in (*played.arms, PAID):
        played.stop(phone)
    played.shop.send(session_of(PAID), "order_completed", order_value=10, currency="COP")
    until(lambda: sum(bool(one.get("arm")) for one in played.outreaches()) == PEOPLE)
    _act_in_delay(played)
    at_once = {*played.of("now"), *played.of("message")}
    until(lambda: played.contacted() >= at_once)
    # On a busy machine, some of these take longer than the delay of the others.
    assert played.contacted() <= {*at_once, *played.of("later")} - played.bought_in_delay
    os.kill(played.shop.pid_of("recover"), signal.SIGKILL)
    for arm in ("now", "message", "holdout"):
        for phone in played.of(arm)[::2]:
            played.buy(phone)
    called = {*at_once, *played.of("later")} - played.bought_in_delay
    until(lambda: played.contacted() >= called)
    until(lambda: not any(one["state"] in {"pending", "leased", "sending"} for one in played.outreaches()))


def _act_in_delay(played: Played) -> None:
    """Let one person return in their session, another in a new one, and a third buy."""
    same, other, buyer = played.of("later")[:3]
    played.returned = {same: session_of(same), other: f"{session_of(other)}-again"}
    for phone, session in played.returned.items():
        played.stop(phone, session)
    played.bought_in_delay = {buyer}
    played.buy(buyer)


def test_each_person_stays_in_one_arm(played: Played) -> None:
    assert all(len(played.of(arm)) > 3 for arm in ("now", "later", "message", "holdout"))
    expected = {session_of(phone): f"delays.{arm}" for phone, arm in played.arms.items()}
    expected |= {session: f"delays.{played.arms[phone]}" for phone, session in played.returned.items()}
    found = [(one["session"], one["arm"]) for one in played.outreaches() if one.get("arm")]
    assert set(found) == set(expected.items())
    assert len(found) == PEOPLE + len(played.returned)


def test_holdout_and_buyers_in_delay_are_not_contacted(played: Played) -> None:
    requests = played.requests()
    numbers = {phone: len(made) for phone, made in requests.items()}
    untouched = {*played.of("holdout"), *played.bought_in_delay}
    assert numbers == {phone: int(phone not in untouched) for phone in played.arms}


def test_no_request_before_the_delay_of_the_arm(played: Played) -> None:
    requests = played.requests()
    for phone, arm in played.arms.items():
        earliest = THRESHOLD + (DELAY if arm == "later" else timedelta())
        for request in requests[phone]:
            # A person who returned is called after another threshold and another delay.
            assert _at(request) - played.stopped_at[phone] >= earliest.total_seconds()


def test_channels_are_those_of_the_arms(played: Played) -> None:
    requests = played.requests()
    channels = {
        (arm, request["body"]["engagement"]["preferred_channel"])
        for phone, arm in played.arms.items()
        for request in requests[phone]
    }
    assert channels == {("now", "auto"), ("later", "auto"), ("message", "whatsapp")}


def test_report_equals_what_was_played(played: Played) -> None:
    people = Counter(played.arms.values())
    orders = Counter(played.arms[phone] for phone in played.buyers)
    shown = json.loads(played.shop.cli("report", "--json"))["experiment"]
    assert {arm["name"]: (arm["waiting"], arm["people"]) for arm in shown["arms"]} == {
        name: (number, 0) for name, number in people.items()
    }
    until(lambda: sum(arm.orders for arm in played.findings().arms) >= len(played.buyers))
    assert {arm.name: (arm.people, arm.orders, arm.units) for arm in played.findings().arms} == {
        name: (people[name], orders[name], {"COP": 1000 * orders[name]}) for name in people
    }


@pytest.mark.parametrize("arm", ["now", "later", "message", "holdout"])
def test_explain_names_the_arm(played: Played, arm: str) -> None:
    shown = played.shop.cli("explain", session_of(played.of(arm)[-1]))
    assert f"assigned to arm {arm} of experiment delays" in " ".join(shown.split())


def _at(request: dict[str, Any]) -> float:
    return datetime.fromisoformat(request["received_at"]).timestamp()
