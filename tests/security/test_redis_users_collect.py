"""The collector's Redis user can do its work, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from state.collectors import Collectors
from state.privacy_keys import privacy_prefix
from tests.security.redis_users import make_users, refused, url_of
from tests.security.test_redis_users import refuses
from tests.support.collecting import EVENT, CollectorProcess, emit, sessions
from tests.support.processes import until
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def server(valkey: EmbeddedValkey, real_state: State) -> Iterator[EmbeddedValkey]:
    make_users(real_state.client)
    yield valkey
    for user in real_state.client.execute_command("ACL", "USERS"):  # type: ignore[no-untyped-call]
        if user != b"default":
            real_state.client.execute_command("ACL", "DELUSER", user)  # type: ignore[no-untyped-call]


def test_collector_works_as_its_own_user(server: EmbeddedValkey, real_state: State, tmp_path: Path) -> None:
    real_state.client.execute_command("ACL", "LOG", "RESET")  # type: ignore[no-untyped-call]
    with CollectorProcess(url_of("collect", server), tmp_path) as process:
        assert emit(process.connection(), [EVENT]) == 200
        assert sessions(real_state.client) == ["cart-1"]
        segment = {"anonymousId": "a", "event": "Cart Viewed", "properties": {"cart_id": "cart-2"}}
        assert emit(process.connection(), segment, "/v1/track") == 200
        assert sessions(real_state.client) == ["cart-1", "cart-2"]
        calls = [{"type": "delete", "userId": "u-1"}, {"type": "identify", "userId": "u-2", "traits": {"phone": "1"}}]
        assert emit(process.connection(), {"batch": calls}, "/v1/batch") == 200
        assert real_state.client.exists(f"{privacy_prefix(real_state.keys)}open:erasures")
        until(lambda: Collectors(real_state.scripts, real_state.keys).marks())
        until(lambda: real_state.client.exists(real_state.keys.announced("collect")))
        assert process.stop() == 0
    assert Collectors(real_state.scripts, real_state.keys).marks() == ()
    assert refused(real_state.client) == set()


@pytest.mark.parametrize(
    "command",
    [
        ("XRANGE", "winback:events", "-", "+"),
        ("XDEL", "winback:events", "1-1"),
        ("HSET", "winback:deployment", "schema", "1"),
        ("HSET", "winback:{control}:sending", "a", "1"),
        ("HGETALL", "winback:{control}:sending"),
        ("HGETALL", "winback:{07}:session:s-1"),
        ("GET", "winback:{person:ab}:bought"),
        ("HSET", "winback:heartbeat:ingest", "a", "1"),
    ],
)
def test_collector_can_read_and_change_nothing_else(server: EmbeddedValkey, command: tuple[str, ...]) -> None:
    assert refuses(server, "collect", *command)
    with redis.Redis.from_url(url_of("collect", server)) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command)
