"""The Redis user of the recorder can do its work, and nothing else."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.redis_users import make_users, refused, url_of
from tests.security.test_redis_users import refuses
from tests.support.events import event
from tests.support.ingest_support import publish
from tests.support.processes import until
from tests.support.states import SECRET
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


def start(role: str, server: EmbeddedValkey, directory: Path) -> subprocess.Popen[bytes]:
    env = {
        **os.environ,
        "WINBACK_REDIS_URL": url_of(role, server),
        "WINBACK_IDENTITY_SECRET": SECRET.decode(),
        "WINBACK_RECORD__DIRECTORY": str(directory / "rec"),
    }
    return subprocess.Popen([sys.executable, "-m", "winback", role], env=env, cwd=directory)


def test_recorder_and_ingest_work_as_their_own_users(server: EmbeddedValkey, real_state: State, tmp_path: Path) -> None:
    real_state.client.execute_command("ACL", "LOG", "RESET")  # type: ignore[no-untyped-call]
    processes = [start("record", server, tmp_path)]
    try:
        until(lambda: texts(real_state, real_state.keys.recorder).get("at"))
        processes.append(start("ingest", server, tmp_path))
        publish(real_state, event(session="s-1"))
        until(lambda: texts(real_state, real_state.keys.recorder).get("written") == "1")
        until(lambda: real_state.client.exists(real_state.keys.announced("record")))
    finally:
        for process in processes:
            process.terminate()
        ends = [process.wait(timeout=30) for process in processes]
    assert ends == [0, 0]
    (file,) = (tmp_path / "rec").glob("*.jsonl.gz")
    assert gzip.decompress(file.read_bytes()).count(b"\n") == 1
    assert {entry for entry in refused(real_state.client) if entry[0] == "winback-record"} == set()
    assert {entry for entry in refused(real_state.client) if "record" in entry[2]} == set()


@pytest.mark.parametrize(
    "command",
    [
        ("XRANGE", "winback:events", "-", "+"),
        ("XADD", "winback:events", "*", "event", "{}"),
        ("XADD", "winback:recording:{winback:events}", "*", "event", "{}"),
        ("DEL", "winback:recording:{winback:events}"),
        ("HGETALL", "winback:{07}:session:s-1"),
        ("HSET", "winback:{control}:sending", "a", "1"),
        ("HSET", "winback:heartbeat:ingest", "a", "1"),
    ],
)
def test_recorder_can_read_and_change_nothing_else(server: EmbeddedValkey, command: tuple[str, ...]) -> None:
    assert refuses(server, "record", *command)
