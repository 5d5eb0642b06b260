"""Keys that can lack a TTL are listed."""

from collections.abc import Iterator
from typing import Any

import pytest

from state.key_lists import WITHOUT_TTL
from state.keys import Keys
from tests.support.durations import DAY_MS
from tests.support.key_leak_checker import immortal_keys
from tests.support.redis_clients import fake_client


@pytest.fixture
def client() -> Iterator[Any]:
    """A separate server, because its keys are meant to be wrong."""
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
        "another:app",
    ],
)
def test_unlisted_key_must_have_a_ttl(client: Any, key: str) -> None:  # noqa: ANN401 - a fake
    client.hset(key, "state", "sent")
    assert immortal_keys(client) == [key]
    client.pexpire(key, DAY_MS)
    assert immortal_keys(client) == []


@pytest.mark.parametrize("listed", [name for name in WITHOUT_TTL if "(" not in name])
def test_listed_key_needs_no_ttl(client: Any, listed: str) -> None:  # noqa: ANN401 - a fake
    client.set(f"{Keys().namespace}:{listed.replace('NN', '07').replace('*', 'x')}", 1)
    assert immortal_keys(client) == []


@pytest.mark.parametrize(
    ("found", "immortal"), [("waiting", 0), ("leased", 0), ("sending", 0), ("sent", 2), ("dead", 2)]
)
def test_session_needs_no_ttl_while_its_outreach_is_open(
    client: Any,  # noqa: ANN401 - a fake
    found: str,
    immortal: int,
) -> None:
    client.hset("winback:{07}:session:s-1", "outreach", "07-0123456789abcdef")
    client.hset("winback:{07}:outreach:07-0123456789abcdef", "state", found)
    assert len(immortal_keys(client)) == immortal
