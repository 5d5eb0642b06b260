"""`winback forget` without a scan: it removes what the person's index names, in a time independent of other people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from state.key_lists import OF_A_PERSON
from state.people import person_of
from state.person_marks import MOST_SESSIONS
from state.slow_log import clear
from tests.support.decision_support import Shop, shop_on
from tests.support.events import JANE, event
from tests.support.forgetting_people import JANES, JOHN, PHONE, left, tombstones
from tests.support.ingest_support import ingest_of, publish
from tests.support.outreaches import sending, taken
from tests.support.people import EMAIL
from tests.support.states import CONTACT_REF, LIMITS, SECRET
from tests.support.stored_state import now_ms
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def shop(valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with shop_on(valkey.url) as found:
        yield found


def lived(shop: Shop, *events: dict[str, Any]) -> None:
    publish(shop.state, *events)
    while ingest_of(shop.state).step():
        pass


def commands(shop: Shop) -> dict[str, int]:
    client: Any = shop.state.client
    return {name: found["calls"] for name, found in client.info("commandstats").items()}


def test_the_sessions_of_the_index_go_without_a_scan(shop: Shop) -> None:
    lived(
        shop,
        event(session="s-1", customer=JANE),
        event(session="s-2", customer={**JANE, "phone_number": "300 123 4567", "email": EMAIL}),
        event(session="s-3", customer={"email": EMAIL}),
        event(session="john", customer=JOHN),
    )
    publish(shop.state, event(session="s-1", customer=JANE))
    client: Any = shop.state.client
    client.config_resetstat()
    done = shop.json("forget", "--phone", PHONE, "--yes")
    assert "cmdstat_scan" not in commands(shop)
    assert (done["erased"]["sessions"], done["entries"], done["searched"], done["left"]) == (3, 1, 0, [])
    assert left(shop) == tombstones(shop, "s-1", "s-2", "s-3")
    assert shop.json("forget", "--phone", PHONE, "--scan", "--yes")["left"] == []


def test_no_more_commands_are_needed_among_more_people(shop: Shop) -> None:
    counts = []
    client: Any = shop.state.client
    for number, others in enumerate((0, 400)):
        lived(shop, event(session=f"s-{number}", customer=JANE))
        for other in range(others):
            happens = {**JOHN, "phone_number": f"+573001{other:06d}"[:13]}
            publish(shop.state, event(session=f"other-{other}", customer=happens))
        lived(shop)
        client.config_resetstat()
        shop.run("forget", "--phone", PHONE, "--yes")
        counts.append(sum(calls for name, calls in commands(shop).items() if "slowlog" not in name))
    assert counts[1] <= counts[0] + 10


def test_an_outreach_goes_with_its_session(shop: Shop) -> None:
    held = sending(shop.state)
    assert shop.state.people.reserve([JANES], held.outreach, held.token, CONTACT_REF, LIMITS) == "reserved"
    shop.state.outbox.settle(held, "unknown", line="attempt 1", ambiguous=True)
    shop.state.client.delete(shop.state.keys.session("s-1"))
    done = shop.json("forget", "--phone", PHONE, "--yes")
    assert done["erased"]["outreaches"] == 1
    assert left(shop) == {}


def test_an_outreach_that_waits_is_cancelled_with_its_session(shop: Shop) -> None:
    outreach = taken(shop.state).outreach
    shop.state.client.zadd(shop.state.keys.sessions(JANES), {"s-1": now_ms(shop.state)})
    shop.state.client.pexpire(shop.state.keys.sessions(JANES), 60_000)
    assert shop.json("forget", "--phone", PHONE, "--yes")["erased"] == {"sessions": 1, "outreaches": 1, "skeletons": 0}
    assert shop.state.outbox.outcomes([outreach]) == [""]


def test_a_full_index_leads_to_a_scan(shop: Shop) -> None:
    lived(shop, *(event(session=f"s-{number}", customer=JANE) for number in range(MOST_SESSIONS + 3)))
    done = shop.json("forget", "--phone", PHONE, "--yes")
    assert done["erased"]["sessions"] == MOST_SESSIONS + 3
    assert done["searched"] > MOST_SESSIONS


def test_others_links_to_the_person_go_without_a_scan(shop: Shop) -> None:
    lived(shop, event(session="s-1", customer={**JANE, "email": EMAIL}))
    done = shop.json("forget", "--phone", PHONE, "--exact", "--yes")
    assert done["mentions"] == 2
    janes_mail = person_of(EMAIL, SECRET)
    assert shop.state.client.zrange(shop.state.keys.links(janes_mail), 0, -1) == []


def test_every_key_of_a_person_has_a_known_name(shop: Shop) -> None:
    lived(
        shop,
        event(session="s-1", customer={**JANE, "email": EMAIL, "consent": {"call": True}}),
        event("order_completed", "s-1", customer=JANE),
        event("opt_out", None, None, customer=JANE),
    )
    names = {key.decode().rpartition(":")[2] for key in shop.state.client.scan_iter("*{person:*")}
    assert names
    assert names <= set(OF_A_PERSON)


def test_the_slow_log_is_emptied(shop: Shop) -> None:
    client: Any = shop.state.client
    before = client.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"]
    client.config_set("slowlog-log-slower-than", 0)
    try:
        lived(shop, event(session="s-1", customer=JANE))
        assert any(b"Jane" in entry["command"] for entry in client.slowlog_get(1000))
    finally:
        client.config_set("slowlog-log-slower-than", before)
    assert shop.json("forget", "--phone", PHONE, "--yes")["slow_log_cleared"]
    assert client.slowlog_get(1000) == []


def test_user_without_slow_log_rights_is_reported(shop: Shop) -> None:
    client: Any = shop.state.client
    client.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "+@all", "-slowlog", "-commandlog")
    try:
        shop.env["WINBACK_REDIS_URL"] = shop.env["WINBACK_REDIS_URL"].replace("redis://", "redis://limited:any@")
        assert "SLOWLOG RESET" in shop.run("forget", "--phone", PHONE, "--yes")
    finally:
        client.execute_command("ACL", "DELUSER", "limited")
    assert clear(shop.state.scripts)
