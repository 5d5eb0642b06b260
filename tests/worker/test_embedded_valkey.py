"""The embedded server: a real one, on a free port, in a temporary directory."""

import os
import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.processes import is_gone, until
from worker.errors import StartError
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.valkey_process import with_jemalloc


def connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def fill(client: redis.Redis) -> None:
    for number in range(4000):
        client.set(f"filler:{number}", "x" * 1000)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "valkey", port=0) as started:
        yield started


def test_started_server_has_the_required_configuration(server: EmbeddedValkey, tmp_path: Path) -> None:
    with connect(server.url) as client:
        found = client.config_get("*")
    wanted = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "maxmemory": "0",
        "save": "",
        "bind": "127.0.0.1",
        "protected-mode": "yes",
        "databases": "16",
        "hash-max-listpack-entries": "512",
        "hash-max-listpack-value": "1024",
        "dir": str(tmp_path / "valkey"),
    }
    assert {key: found[key] for key in wanted} == wanted


def test_a_bound_on_memory_refuses_writes_and_evicts_nothing(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path, port=0, maxmemory=2_000_000) as server, connect(server.url) as client:
        client.set("kept", "x")
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            fill(client)
        assert client.get("kept") == "x"


def test_server_files_are_readable_only_by_their_owner(server: EmbeddedValkey, tmp_path: Path) -> None:
    assert server.pid is not None
    modes = {path: path.stat().st_mode & 0o077 for path in [tmp_path / "valkey", *(tmp_path / "valkey").rglob("*")]}
    assert len(modes) >= 4
    assert not any(modes.values()), modes


def test_server_has_its_own_process_group(server: EmbeddedValkey) -> None:
    assert server.pid is not None
    assert os.getpgid(server.pid) == server.pid
    assert os.getsid(server.pid) != os.getsid(0)


def test_what_was_written_is_there_again_after_an_orderly_stop(server: EmbeddedValkey) -> None:
    with connect(server.url) as client:
        client.set("key", "value")
        server.stop()
        assert server.pid is None
        server.start()
        assert client.get("key") == "value"


def test_acknowledged_data_survives_a_kill(server: EmbeddedValkey) -> None:
    with connect(server.url) as client, client.pipeline(transaction=False) as pipe:
        for number in range(50_000):
            pipe.set(f"key:{number}", "value")
        pipe.execute()
        server.kill()
        server.start()
        assert client.dbsize() == 50_000


def test_second_start_and_second_stop_change_nothing(server: EmbeddedValkey) -> None:
    pid = server.pid
    server.start()
    assert server.pid == pid
    server.stop()
    server.stop()
    server.kill()
    assert server.pid is None


def test_a_server_that_hangs_is_killed_after_the_grace(server: EmbeddedValkey) -> None:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    server.stop(grace_s=0.1)
    assert is_gone(pid)


def test_wait_returns_how_the_server_ended(server: EmbeddedValkey) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL


def test_two_servers_take_different_free_ports(server: EmbeddedValkey, tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "other", port=0) as other:
        assert server.url != other.url


def test_used_port_is_one_line_with_the_port_and_a_hint(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=rf"^port {port} on 127\.0\.0\.1 is in use .*WINBACK_REDIS_URL.*$"):
            EmbeddedValkey(tmp_path, port=port).start()


def test_another_server_on_the_port_is_not_taken_for_ours(server: EmbeddedValkey, tmp_path: Path) -> None:
    port = int(server.url.split(":")[2].split("/")[0])
    with pytest.raises(StartError, match="is in use"):
        EmbeddedValkey(tmp_path / "other", port=port).start()
    with connect(server.url) as client:
        assert client.ping()


def test_a_second_server_on_the_same_directory_is_refused(
    server: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.pid is not None
    monkeypatch.setattr("worker.supervision.directory_lock.LOCK_WITHIN_S", 0.1)
    with pytest.raises(StartError, match=r"^\S+/valkey: another embedded Valkey is using it: stop that one.*$"):
        EmbeddedValkey(tmp_path / "valkey", port=0).start()


@pytest.mark.parametrize("in_the_way", ["file/valkey", "log"])
def test_unusable_directory_is_one_line_that_names_it(tmp_path: Path, in_the_way: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "log" / "valkey.log").mkdir(parents=True)
    with pytest.raises(
        StartError, match=rf"^{tmp_path / in_the_way}: Valkey can't keep its data there \(.*writable.*$"
    ):
        EmbeddedValkey(tmp_path / in_the_way, port=0).start()


def test_platform_without_binary_is_one_line_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(StartError, match=r"^there is no embedded Valkey for this machine .*WINBACK_REDIS_URL.*$"):
        EmbeddedValkey(tmp_path, port=0).start()


def test_damaged_append_only_file_stops_the_start_with_its_error(server: EmbeddedValkey, tmp_path: Path) -> None:
    with connect(server.url) as client:
        client.set("key", "value")
    server.stop()
    (file,) = (tmp_path / "valkey" / "appendonlydir").glob("*.incr.aof")
    file.write_bytes(b"rubbish\n" + file.read_bytes())
    with pytest.raises(StartError, match=r"^Valkey did not start \(exit code 1\): .*Bad file format.*valkey\.log\)$"):
        server.start()


PARENT = """
import sys, time
from pathlib import Path
import redis
from worker.supervision.embedded_valkey import EmbeddedValkey

server = EmbeddedValkey(Path(sys.argv[1]), port=int(sys.argv[2]))
server.start()
with redis.Redis.from_url(server.url) as client:
    client.set("key", "value")
print(server.pid, server.url, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_killed_parent_ends_the_server_and_data_is_kept(tmp_path: Path, ending: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path, "0"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, url = parent.stdout.readline().split()
        parent.send_signal(ending)
    port = int(url.split(":")[2].split("/")[0])
    # Started at once: it waits for the old one to release the directory.
    with EmbeddedValkey(tmp_path, port=port) as server, connect(server.url) as client:
        assert client.get("key") == "value"
        until(lambda: is_gone(int(pid)))


def test_it_runs_on_jemalloc_where_debians_is_there(server: EmbeddedValkey, tmp_path: Path) -> None:
    assert with_jemalloc(tmp_path) == []
    library = tmp_path / "x86_64-linux-gnu" / "libjemalloc.so.2"
    library.parent.mkdir()
    library.touch()
    assert with_jemalloc(tmp_path) == ["/usr/bin/env", f"LD_PRELOAD={library}"]
    maps = Path(f"/proc/{server.pid}/maps").read_text()
    assert ("jemalloc" in maps) is bool(with_jemalloc())
