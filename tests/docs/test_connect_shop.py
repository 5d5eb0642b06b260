"""The guide on connecting a shop: its user file, its compose override and the messages that it explains."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from tests.support.pages import ROOT, marked, program, run
from tests.support.processes import until
from worker.supervision.valkey_process import binary

GUIDE = ROOT / "docs" / "guides" / "connect-shop.md"
SECRET = "a1b2c3d4e5f6"


@pytest.fixture
def shop_url(tmp_path: Path) -> Iterator[str]:
    """Follow the steps for compose, run the override's command, and yield the URL that the first step prints."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "redis-users.acl", tmp_path / "deploy")
    (tmp_path / ".env").write_text(f"REDIS_PASSWORD={SECRET}\n")
    (step,) = marked(GUIDE, "users")
    done = run("bash", "-euo", "pipefail", "-c", step, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    (override,) = marked(GUIDE, "override")
    _, _, *options = yaml.safe_load(override)["services"]["redis"]["command"]
    values = {"/etc/valkey/users.acl": str(tmp_path / "users.acl"), "${REDIS_MAXMEMORY:-512mb}": "64mb"}
    command = [binary(), "--port", str(port), "--dir", str(tmp_path), *(values.get(word, word) for word in options)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            url = done.stdout.strip().removeprefix("WINBACK_URL=").replace(":6379/", f":{port}/")
            until(lambda: answers(url), within_s=20)
            yield url
        finally:
            server.terminate()


def answers(url: str) -> bool:
    try:
        with Redis.from_url(url) as client:
            return bool(client.ping())
    except RedisError:
        return False


def test_shop_user_can_add_events_and_nothing_else(shop_url: str) -> None:
    with Redis.from_url(shop_url) as shop:
        assert shop.xadd("winback:events", {"event": "{}"})
        with pytest.raises(NoPermissionError):
            shop.xadd("other:events", {"event": "{}"})
        with pytest.raises(NoPermissionError):
            shop.get("winback:events")


def test_roles_keep_the_password_of_the_env_file(shop_url: str) -> None:
    address = shop_url.partition("@")[2]
    with Redis.from_url(f"redis://:{SECRET}@{address}") as role:
        assert role.set("winback:sweep", "1")


def test_messages_of_failed_connections_are_the_explained_ones(shop_url: str, tmp_path: Path) -> None:
    program("redis-cli")
    (block,) = marked(GUIDE, "connection")
    own, _, address = shop_url.removeprefix("redis://").partition("@")
    secret = own.partition(":")[2]
    text = block.replace("HOST:6379/0", address)
    for command, message in (
        (text.replace("PASSWORD", secret), "PONG"),
        (text, "WRONGPASS invalid username-password pair"),
        (text.replace("winback-producer:PASSWORD@", ""), "NOAUTH Authentication required"),
    ):
        done = run("bash", "-c", command, cwd=tmp_path)
        assert message in done.stdout + done.stderr
        assert message == "PONG" or f"`{message}`" in GUIDE.read_text()
    with pytest.raises(AuthenticationError), Redis.from_url(f"redis://{address}") as client:
        client.ping()
