"""An experiment on a running shop: what each arm's people get, with a worker killed in the middle."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.running_shop import CART, CHECKOUT, Shop, jane, running_shop, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]

PEOPLE = 40
DELAY_S = 8
RETURNED, BOUGHT = range(0, PEOPLE, 5), range(1, PEOPLE, 5)
"""People who return, or buy, after two seconds."""
EXPERIMENT = {
    "NAME": "played",
    "START": "2026-01-01",
    "HOLDOUT": "25",
    "ARMS__NOW__CHANNEL": "call",
    "ARMS__LATER__DELAY": f"{DELAY_S}s",
    "ARMS__LATER__CHANNEL": "call",
    "ARMS__MESSAGE__CHANNEL": "whatsapp",
}
ARMS = ("later", "message", "now", "holdout")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    settings = {f"WINBACK_EXPERIMENT__{name}": value for name, value in EXPERIMENT.items()}
    with running_shop(tmp_path_factory.mktemp("shop"), **settings) as found:
        yield found


def outreaches(shop: Shop) -> dict[str, dict[str, str]]:
    """Return the outreach of each session."""
    found = {}
    for key in shop.redis.scan_iter("winback:{*}:outreach:*"):
        fields = {name.decode(): value.decode(errors="replace") for name, value in shop.redis.hgetall(key).items()}
        found[fields["session"]] = fields
    return found


def arms(shop: Shop) -> dict[str, str]:
    """Return the arm of each session that is assigned to one."""
    of_session = {session: fields.get("arm", "") for session, fields in outreaches(shop).items()}
    return {session: arm.removeprefix("played.") for session, arm in of_session.items() if arm}


def stop_at_the_checkout(shop: Shop, person: int, session: str) -> None:
    shop.send(session, **CHECKOUT, customer=jane(phone_number=f"+5730055500{person:02d}"), cart=CART)


def received_at(request: dict[str, Any]) -> float:
    return datetime.fromisoformat(request["received_at"]).timestamp()


def test_each_arm_gets_what_it_says(shop: Shop) -> None:
    sent_s = datetime.now(UTC).timestamp()
    sessions = [f"sess_played_{person}" for person in range(PEOPLE)]
    for person, session in enumerate(sessions):
        stop_at_the_checkout(shop, person, session)
    until(lambda: len(arms(shop)) == PEOPLE)
    arm_of = arms(shop)
    assert set(arm_of.values()) == set(ARMS)

    os.kill(shop.pid_of("recover"), signal.SIGKILL)
    waiting = [session for session in sessions if arm_of[session] == "later"]
    returned = [sessions[person] for person in RETURNED if arm_of[sessions[person]] == "later"]
    bought = [sessions[person] for person in BOUGHT if arm_of[sessions[person]] == "later"]
    for session in returned:
        shop.send(session, **CHECKOUT)
        shop.send(session, "exit")
    for session in bought:
        shop.send(session, "order_completed", order_value=10, currency="COP")

    contacted = {session for session in sessions if arm_of[session] != "holdout"} - {*returned, *bought}
    until(lambda: {one["body"]["session"]["session_id"] for one in shop.api.requests()} >= contacted, 40)
    until(lambda: all(one["state"] in {"sent", "suppressed", "cancelled"} for one in outreaches(shop).values()), 40)
    requests = {one["body"]["session"]["session_id"]: one for one in shop.api.requests()}
    again = {session for session, number in Counter(one["body"]["session"]["session_id"]
             for one in shop.api.requests()).items() if number > 1}  # fmt: skip
    assert not again
    # A person who returned and stopped again is contacted for the second silence, after its own delay.
    assert requests.keys() - contacted <= set(returned)
    for session, request in requests.items():
        channel = "whatsapp" if arm_of[session] == "message" else "call"
        assert request["body"]["engagement"]["preferred_channel"] == channel, (session, arm_of[session])
        assert arm_of[session] != "later" or received_at(request) - sent_s >= DELAY_S
    assert waiting
    assert arms(shop).items() >= arm_of.items()


def test_report_counts_each_person_once_in_their_arm(shop: Shop) -> None:
    before = arms(shop)
    # Their first session decides. The second one is in the same arm, or another rule ends it before it has one.
    stop_at_the_checkout(shop, 2, "sess_played_again")
    until(lambda: outreaches(shop).get("sess_played_again", {}).get("state") in {"sent", "suppressed"})
    assert arms(shop).get("sess_played_again", before["sess_played_2"]) == before["sess_played_2"]
    experiment = json.loads(shop.cli("report", "--json", "--since", "2d"))["experiment"]
    people = {arm["name"]: arm["people"] + arm["waiting"] for arm in experiment["arms"]}
    assert people == dict(Counter(before[f"sess_played_{person}"] for person in range(PEOPLE)))
    assert experiment["winner"] is None


def test_explain_names_the_arm(shop: Shop) -> None:
    held_out = next(session for session, arm in arms(shop).items() if arm == "holdout")
    said = shop.cli("explain", held_out, "--json", code=None)
    assert "assigned to arm holdout of experiment played" in said
