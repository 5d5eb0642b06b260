"""Ids of sessions and outreaches, and their partitions."""

import json
import re

import pytest

from detectors.parsing import parse
from state.partitions import PARTITIONS, partition_of, partition_of_outreach
from tests.support.durations import DAY_MS
from tests.support.events import arrived, event
from tests.support.outreaches import abandon
from tests.support.stored_state import record
from worker.ingest.batch import collect
from worker.runtime import State


@pytest.mark.parametrize(("session", "number"), [("123456789", 0xCBF43926 % 64), ("sess_abc123xyz", 42)])
def test_the_partition_of_a_session_never_changes(session: str, number: int) -> None:
    """These are stored: another function would lose every session. The first is CRC-32's own check value."""
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
