"""The names of keys: what lies together, what is kept apart, and what may be part of a name."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from redis.crc import key_slot

from detectors.parsing import parse
from state.keys import PARTITIONS, WITHOUT_TTL, Keys, partition_of, partition_of_outreach
from state.people import person_of
from tests.support.controlling import TEN_A_SECOND_US, control, granted, passes
from tests.support.helpers import (
    DAY_MS,
    LEAD,
    LIMITS,
    SECRET,
    FakeScripts,
    abandon,
    arrived,
    dispatch,
    dump,
    event,
    happen,
    lanes_of,
    make_state,
    now_ms,
    record,
    sending,
    stored,
    sweep,
)
from tests.support.immortality import immortal_keys
from tests.support.redis_clients import fake_client
from worker.ingest.batch import collect
from worker.runtime import State

PERSON = person_of("+573001234567", SECRET)


def slots(keys: list[str]) -> set[int]:
    return {key_slot(key.encode()) for key in keys}


def every_key(state: State) -> list[str]:
    return list(dump(state))


def live_through_everything(state: State) -> str:
    """Make every sort of key of a session; return the outreach."""
    held = sending(state)
    state.outbox.settle(held, "unknown", line="")
    dead = sending(state, "s-dead")
    state.outbox.settle(dead, "dead", line="")
    sending(state, "s-sending")
    abandon(state, "s-waiting")
    happen(state, event(session="s-silent"))
    return held.outreach


def test_all_keys_of_a_session_share_a_slot(state: State) -> None:
    outreach = live_through_everything(state)
    number = partition_of("s-1")
    mine = [key for key in every_key(state) if f"{{{number:02d}}}" in key]
    kinds = {key.split(":")[2] for key in mine}
    assert {"session", "outreach", "unknown", "stats"} <= kinds
    assert len(slots(mine)) == 1
    names = [
        state.keys.session("s-1"),
        state.keys.lane(number, "checkout.web.idle"),
        state.keys.due(number),
        state.keys.leased(number),
        state.keys.outreach(outreach),
        state.keys.stats(number, 1),
    ]
    assert slots(names) == slots(mine)


def test_all_keys_of_a_person_share_a_slot(state: State) -> None:
    state.people.opt_out(PERSON)
    state.people.mark_bought(PERSON, now_ms(state))
    other = person_of("+573001234568", SECRET)
    state.people.reserve([other], "07-0123456789abcdef", 1, LEAD, LIMITS)
    assert len(slots([key for key in every_key(state) if PERSON in key])) == 1
    prefix = state.keys.person(PERSON)
    assert len(slots([f"{prefix}bought", f"{prefix}opted_out", f"{prefix}reserved"])) == 1
    assert slots([prefix]) != slots([state.keys.person(other)])


def test_all_control_keys_share_a_slot(state: State) -> None:
    by = control(state, rate_us=TEN_A_SECOND_US, per_day=5)
    granted(by)
    passes(by)
    mine = [key for key in every_key(state) if key.startswith(state.keys.control)]
    assert len(mine) == 2
    assert len(slots([*mine, state.keys.control])) == 1


def test_scripts_and_python_have_the_same_names_for_keys(state: State) -> None:
    outreach = live_through_everything(state)
    number = partition_of("s-1")
    named = {
        state.keys.session("s-1"),
        state.keys.outreach(outreach),
        state.keys.stats(number, now_ms(state) // DAY_MS),
        state.keys.lane(partition_of("s-silent"), "checkout.web.idle"),
        state.keys.leased(partition_of("s-sending")),
        state.keys.due(partition_of("s-waiting")),
    }
    assert named <= set(every_key(state))


def test_every_key_begins_with_the_namespace() -> None:
    client = fake_client()
    state = make_state(client, FakeScripts(client), namespace="brand-b")
    state.streams.first.create_group()
    state.streams.reject(b"1-0", [("", "")], applied=False)
    state.streams.open_sweep(1)
    state.people.opt_out(PERSON)
    live_through_everything(state)
    assert {key.partition(":")[0] for key in every_key(state)} == {"brand-b"}


def test_two_namespaces_on_one_server_do_not_see_each_other(state: State) -> None:
    other = make_state(state.client, state.scripts, namespace="other")
    abandon(state)
    assert stored(other).activity == 0
    assert dispatch(other) == []
    assert sweep(other) == 0
    happen(other, event(stage="payment"))
    assert stored(state).state == "abandoned"
    assert list(lanes_of(other)) == ["payment.web.idle"]


def test_no_phone_number_is_in_any_key(state: State) -> None:
    live_through_everything(state)
    state.people.opt_out(PERSON)
    assert not [key for key in every_key(state) if "3001234567" in key]


# Partitions


@pytest.mark.parametrize(("session", "number"), [("123456789", 0xCBF43926 % 64), ("sess_abc123xyz", 42)])
def test_the_partition_of_a_session_never_changes(session: str, number: int) -> None:
    """These are stored: another function would lose every session there is. The first is CRC-32's own check value."""
    assert partition_of(session) == number


def test_sessions_spread_over_all_partitions() -> None:
    counts = [0] * PARTITIONS
    for number in range(64_000):
        counts[partition_of(f"session-{number}")] += 1
    assert min(counts) > 800
    assert max(counts) < 1200


def test_the_partition_of_an_outreach_is_that_of_its_session(state: State) -> None:
    for number in range(8):
        outreach = abandon(state, f"s-{number}")
        assert partition_of_outreach(outreach) == partition_of(f"s-{number}")
        assert record(state, outreach)["session"] == f"s-{number}"


@pytest.mark.parametrize("number", ["00", "07", "63"])
def test_the_id_of_an_outreach_names_its_partition(number: str) -> None:
    assert partition_of_outreach(f"{number}-0123456789abcdef") == int(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "07",
        "07-",
        "64-0123456789abcdef",
        "99-0123456789abcdef",
        "7-0123456789abcdef",
        "007-0123456789abcdef",
        "07-0123456789abcde",
        "07-0123456789abcdef0",
        "07-0123456789ABCDEF",
        "07-0123456789abcdeg",
        "07-0123456789abcdef\n",
        "\n07-0123456789abcdef",
        "07-01234567\n9abcdef",
        "07-0123456789abcde*",
        "07-0123456789{bcd}f",
        "{7}-0123456789abcdef",
        "+7-0123456789abcdef",
        "\u0660\u0667-0123456789abcdef",
        "+573001234567",
    ],
)
def test_what_is_not_the_id_of_an_outreach_is_refused(state: State, text: str) -> None:
    with pytest.raises(ValueError, match="is not the id of an outreach"):
        partition_of_outreach(text)
    with pytest.raises(ValueError, match="is not the id of an outreach"):
        state.outbox.take(text)


def test_refusing_an_id_quotes_no_more_than_its_beginning() -> None:
    with pytest.raises(ValueError, match="is not the id") as caught:
        partition_of_outreach("x" * 10_000)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("session", ["a", "A.b_c:d-e~f@g+h=", "x" * 128, "7"])
def test_a_session_id_of_ordinary_characters_is_taken(session: str) -> None:
    parsed = parse(json.dumps(event(session=session)).encode())
    assert parsed.event is not None
    assert parsed.event.session_id == session


@pytest.mark.parametrize(
    "session",
    [
        "x" * 129,
        "a b",
        "a\n",
        "\na",
        "a\nb",
        "a\x00",
        "a{b}",
        "{07}",
        "a*",
        "a?",
        "a[b]",
        "a/b",
        "a'b",
        "añb",
        "a\u0660",
    ],
)
def test_an_id_that_could_mean_something_to_redis_is_not_stored(session: str) -> None:
    (change,) = collect([arrived(event(session=session), DAY_MS)]).changes
    assert re.fullmatch(r"[A-Za-z0-9._:\-~@+=]{1,128}|h/[0-9a-f]{40}", change.session_id)


# The net under every other test: what lives for ever


@pytest.fixture
def client() -> Iterator[Any]:
    """A server of its own: here keys are meant to be wrong."""
    fake = fake_client()
    yield fake
    fake.close()


@pytest.mark.parametrize(
    "key",
    [
        "winback:rejected",
        "winback:heartbeat:sweep",
        "winback:{07}:stats:20000",
        "winback:{07}:session:s-1",
        "winback:{07}:outreach:07-0123456789abcdef",
        "winback:{person:ab}:bought",
        "winback:{person:ab}:reserved",
        "winback:{7}:due",
        "winback:something",
        "somebody:else",
    ],
)
def test_a_key_that_is_not_listed_must_not_live_for_ever(client: Any, key: str) -> None:  # noqa: ANN401 - a fake
    client.hset(key, "state", "sent")
    assert immortal_keys(client) == [key]
    client.pexpire(key, DAY_MS)
    assert immortal_keys(client) == []


@pytest.mark.parametrize("listed", [name for name in WITHOUT_TTL if "(" not in name])
def test_a_listed_key_may_live_for_ever(client: Any, listed: str) -> None:  # noqa: ANN401 - a fake
    client.set(f"{Keys().namespace}:{listed.replace('NN', '07').replace('*', 'x')}", 1)
    assert immortal_keys(client) == []


@pytest.mark.parametrize(
    ("found", "immortal"), [("waiting", 0), ("leased", 0), ("sending", 0), ("sent", 2), ("dead", 2)]
)
def test_a_session_may_live_for_ever_while_its_outreach_is_open(
    client: Any,  # noqa: ANN401 - a fake
    found: str,
    immortal: int,
) -> None:
    client.hset("winback:{07}:session:s-1", "outreach", "07-0123456789abcdef")
    client.hset("winback:{07}:outreach:07-0123456789abcdef", "state", found)
    assert len(immortal_keys(client)) == immortal
