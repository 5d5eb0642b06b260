"""The forbidden actions of each user in the shipped ACL file. Their allowed work is in test_redis_users_e2e.py."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from state.deployment import PERSONAL_ROLES, missing_key
from tests.security.redis_users import ACL_FILE, USERS, make_users, rules, url_of
from tests.support.cli_support import dead_port
from tests.support.events import JANE, event, happen
from tests.support.outreaches import abandon
from tests.support.processes import until
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.valkey_process import binary

pytestmark = pytest.mark.xdist_group("valkey")

FEW = ("metrics", "broker", "flower")
FORBIDDEN = (
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("KEYS", "*"),
    ("CONFIG", "SET", "maxmemory", "1"),
    ("SHUTDOWN", "NOSAVE"),
    ("DEBUG", "SLEEP", "0"),
    ("MONITOR",),
    ("ACL", "LIST"),
    ("CLIENT", "LIST"),
    ("REPLICAOF", "NO", "ONE"),
    ("SAVE",),
    ("MODULE", "LIST"),
    ("SCRIPT", "FLUSH"),
    ("FUNCTION", "FLUSH"),
    ("RENAME", "winback:events", "winback:elsewhere"),
    ("SWAPDB", "0", "1"),
    ("SET", "another:application", "1"),
    ("GET", "another:application"),
)


@pytest.fixture
def server(valkey: EmbeddedValkey, real_state: State) -> Iterator[EmbeddedValkey]:
    make_users(real_state.client)
    happen(real_state, event(session="s-1", customer=JANE))
    yield valkey
    client: Any = real_state.client
    for user in USERS:
        client.execute_command("ACL", "DELUSER", f"winback-{user}")


def refuses(server: EmbeddedValkey, user: str, *command: str) -> bool:
    """Return whether the server would refuse this command, without running it."""
    with redis.Redis.from_url(server.url) as client:
        answer = client.execute_command("ACL", "DRYRUN", f"winback-{user}", *command)
    return bool(answer != b"OK")


@pytest.mark.parametrize("role", PERSONAL_ROLES)
def test_role_without_an_encryption_key_can_report_it(server: EmbeddedValkey, role: str, real_state: State) -> None:
    key = missing_key(real_state.keys, role)
    assert not refuses(server, role, "HSET", key, "process", "1")
    assert not refuses(server, role, "PEXPIRE", key, "1000")


@pytest.mark.parametrize("user", USERS)
def test_no_user_may_do_what_no_role_needs(server: EmbeddedValkey, user: str) -> None:
    assert [command for command in FORBIDDEN if not refuses(server, user, *command)] == []
    with redis.Redis.from_url(url_of(user, server)) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.flushall()


def test_the_producer_may_add_events_and_nothing_else(server: EmbeddedValkey) -> None:
    with redis.Redis.from_url(url_of("producer", server)) as client:
        assert client.xadd("winback:events", {"event": "{}"})
        assert client.xadd("winback:events:1", {"event": "{}"})
    for command in (
        ("XADD", "winback:rejected", "*", "a", "b"),
        ("XADD", "elsewhere", "*", "a", "b"),
        ("XRANGE", "winback:events", "-", "+"),
        ("XLEN", "winback:events"),
        ("XDEL", "winback:events", "1-1"),
        ("XTRIM", "winback:events", "MAXLEN", "0"),
        ("DEL", "winback:events"),
        ("EVAL", "return 1", "1", "winback:events"),
        ("HGETALL", "winback:deployment"),
        ("INFO",),
    ):
        assert refuses(server, "producer", *command), command


@pytest.mark.parametrize(
    ("user", "command"),
    [
        # Only ingest and recover can read who bought or opted out.
        *((user, ("GET", "winback:{person:ab}:opted_out")) for user in ("sweep", "beat", *FEW)),
        *((user, ("HGETALL", "winback:{07}:session:s-1")) for user in ("beat", *FEW)),
        *((user, ("HGETALL", "winback:{07}:outreach:07-1")) for user in ("beat", *FEW)),
        ("metrics", ("HSET", "winback:heartbeat:beat", "a", "1")),
        ("metrics", ("HSET", "winback:{control}:sending", "a", "1")),
        ("metrics", ("XREADGROUP", "GROUP", "ingest", "a", "STREAMS", "winback:events", ">")),
        ("beat", ("HSET", "winback:{07}:stats:1", "a", "1")),
        ("beat", ("HSET", "winback:{control}:sending", "a", "1")),
        ("ingest", ("HSET", "winback:{control}:sending", "a", "1")),
        ("ingest", ("HSET", "winback:sweep", "last", "1")),
        ("recover", ("HSET", "winback:sweep", "last", "1")),
        *((user, ("XADD", "winback:events", "*", "event", "{}")) for user in ("sweep", "recover", "beat", "broker")),
        *((user, ("XTRIM", "winback:events", "MAXLEN", "0")) for user in ("sweep", "recover", "beat", "operator")),
        *((user, ("HSET", "winback:heartbeat:ingest", "a", "1")) for user in ("sweep", "recover", "beat")),
        *((user, ("SCAN", "0")) for user in ("ingest", "sweep", "recover", "beat", "broker", "flower")),
        *((user, ("LPUSH", "winback.recover", "x")) for user in ("ingest", "sweep", "beat", "operator", "flower")),
    ],
)
def test_a_role_may_not_do_anothers_work(server: EmbeddedValkey, user: str, command: tuple[str, ...]) -> None:
    assert refuses(server, user, *command)


def test_a_script_can_do_no_more_than_its_user(server: EmbeddedValkey, real_state: State) -> None:
    outreach = abandon(real_state, "s-2")
    for user, key in (("beat", f"winback:{{{outreach[:2]}}}:outreach:{outreach}"), ("recover", "elsewhere")):
        script = f"return redis.call('HGETALL', '{key}')"
        with (
            redis.Redis.from_url(url_of(user, server)) as client,
            pytest.raises(redis.ResponseError, match=r"ACL failure|permission"),
        ):
            client.eval(script, 1, "winback:{00}:")


def test_every_password_is_a_placeholder_that_has_to_be_replaced() -> None:
    for user, words in rules().items():
        assert [word for word in words if word[:1] in "><#" or word == "nopass"] == [f">PASSWORD_OF_{user.upper()}"]


def test_the_file_is_one_that_a_server_reads(tmp_path: Path) -> None:
    port = dead_port()
    options = {"port": str(port), "dir": str(tmp_path), "bind": "127.0.0.1", "save": "", "aclfile": str(ACL_FILE)}
    with (tmp_path / "log").open("w") as log:
        argv = [str(binary()), *(word for key, value in options.items() for word in (f"--{key}", value))]
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)
    try:
        with redis.Redis(port=port, username="default", password="PASSWORD_OF_DEFAULT") as client:
            until(lambda: answers(client) or process.poll() is not None)
            assert process.poll() is None, (tmp_path / "log").read_text()
            names = {name.decode() for name in client.execute_command("ACL", "USERS")}
        assert names == {"default", *(f"winback-{user}" for user in USERS)}
    finally:
        process.kill()
        process.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
