"""The Redis users of the outcome feed can do their work, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.redis_users import make_users, refused, url_of
from tests.security.test_redis_users import refuses
from tests.support.feed import in_feed
from tests.support.outcome_processes import Shop, relay, sending
from tests.support.outreaches import sending as sent_by
from tests.support.processes import until
from tests.support.stored_state import texts
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


def test_relay_and_sender_work_as_their_own_users(server: EmbeddedValkey, real_state: State, tmp_path: Path) -> None:
    real_state.client.execute_command("ACL", "LOG", "RESET")  # type: ignore[no-untyped-call]
    real_state.outbox.settle(sent_by(real_state), "sent")
    assert relay(url_of("sweep", server), tmp_path) == 0
    assert len(in_feed(real_state)) == 1
    with Shop() as shop, sending(url_of("outcomes", server), shop, tmp_path) as process:
        until(lambda: shop.accepted)
        until(lambda: texts(real_state, real_state.keys.webhooks).get("sent") == "1")
        until(lambda: real_state.client.exists(real_state.keys.announced("outcomes")))
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert refused(real_state.client) == set()


@pytest.mark.parametrize(
    "command",
    [
        ("XADD", "winback:outcomes", "*", "a", "b"),
        ("XTRIM", "winback:outcomes", "MAXLEN", "0"),
        ("XADD", "winback:events", "*", "event", "{}"),
        ("XRANGE", "winback:events", "-", "+"),
        ("HSET", "winback:{control}:sending", "a", "1"),
        ("HGETALL", "winback:{07}:session:s-1"),
        ("HGETALL", "winback:{07}:outreach:07-1"),
        ("HSET", "winback:deployment", "schema", "1"),
        ("HSET", "winback:heartbeat:ingest", "a", "1"),
    ],
)
def test_sender_can_read_and_change_nothing_else(server: EmbeddedValkey, command: tuple[str, ...]) -> None:
    assert refuses(server, "outcomes", *command)
