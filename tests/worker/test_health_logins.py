"""What `winback doctor` says of refused logins."""

from typing import Any

import pytest
import redis

from state.refused_logins import Refused, refused_logins
from tests.support.cli_support import limited_user
from worker.monitoring.checks.logins import finding
from worker.runtime import State, open_state
from worker.settings import Settings
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")


@pytest.fixture
def server(real_state: State) -> State:
    client: Any = real_state.client
    client.execute_command("ACL", "LOG", "RESET")
    return real_state


def test_login_with_a_wrong_password_is_a_note(server: State, valkey: EmbeddedValkey) -> None:
    assert finding(refused_logins(server.scripts)).mark == "ok"
    with limited_user(server, valkey.url, "+ping"):
        for user in ("winback-producer", "hunter2"):
            wrong = redis.Redis.from_url(valkey.url.replace("redis://", f"redis://{user}:wrong@"))
            with pytest.raises(redis.AuthenticationError):
                wrong.ping()
            wrong.close()
    found = finding(refused_logins(server.scripts))
    assert found.mark == "note"
    assert found.text.startswith("the server refused 2 logins (another user, winback-producer), the last 0 s ago")
    assert "hunter2" not in found.text


def test_user_without_the_right_to_read_the_log_is_no_problem(server: State, valkey: EmbeddedValkey) -> None:
    with limited_user(server, valkey.url, "+ping") as url:
        assert refused_logins(open_state(Settings(redis_url=url)).scripts) is None
    assert finding(None).mark == "ok"


@pytest.mark.parametrize(("ago_ms", "mark"), [(3_600_000, "note"), (3_600_001, "ok")])
def test_refused_command_is_news_for_an_hour(ago_ms: int, mark: str) -> None:
    found = finding([Refused("winback-producer", is_login=False, times=3, ago_ms=ago_ms)])
    assert found.mark == mark
    assert mark == "ok" or "3 commands (winback-producer)" in found.text
