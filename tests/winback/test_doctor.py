from time import monotonic

import pytest
import time_machine

from state import deployment
from tests.support.cipher_support import KEY, OTHER, key_id
from tests.support.cli_support import PATIENCE_S, ROLES, configured, dead_port, doctor, frozen, limited_user, marks, run
from tests.support.dumps import dump
from tests.support.durations import MINUTE_MS
from tests.support.examining import env, folder, healthy
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

__all__ = ["env", "folder", "healthy"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")


# All well


@pytest.mark.usefixtures("healthy")
def test_a_system_in_order_is_fine_in_every_check(env: dict[str, str]) -> None:
    code, found = doctor(env)

    assert code == 0
    assert marks(found, "note", "warn", "fail") == {}
    assert {"settings", "secrets", "server", "broker", "endpoint", "clock", "deployment", *ROLES} <= found.keys()


@pytest.mark.usefixtures("healthy")
def test_each_check_is_a_line_and_the_last_sums_up(env: dict[str, str]) -> None:
    code, shown = run("doctor", **env)
    lines = shown.splitlines()

    assert code == 0
    assert [line for line in lines if line.split()[:2] == ["ok", "server"] and "valkey" in line]
    assert lines[-1] == "nothing fails"


@pytest.mark.usefixtures("healthy")
def test_failures_have_a_hint_and_exit_code_1(env: dict[str, str]) -> None:
    code, shown = run("doctor", **env, WINBACK_DELIVERY__MODE="live")

    assert code == 1
    assert "FAIL  secrets" in shown
    assert shown.splitlines()[-1].startswith("2 checks fail, of ")


def test_looking_changes_nothing(real_state: State, env: dict[str, str]) -> None:
    before = dump(real_state)
    _, found = doctor(env)

    assert dump(real_state) == before
    assert found["deployment"].text == "nothing is recorded yet; the first role that starts records it"


# The server


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        (
            "maxmemory_policy",
            "allkeys-lru",
            ("eviction", "fail", "maxmemory-policy is allkeys-lru: a server out of memory evicts"),
        ),
        ("appendonly", "no", ("persistence", "fail", "appendonly is off: a restart of the server loses")),
        ("hash_max_listpack_value", "64", ("compact", "note", "hash-max-listpack-value is 64: sessions with a cart")),
    ],
)
def test_an_option_of_the_server_that_is_wrong_is_found(
    healthy: State, env: dict[str, str], option: str, value: str, expected: tuple[str, str, str]
) -> None:
    name, mark, words = expected
    with configured(healthy, **{option: value}):
        code, found = doctor(env)

    assert marks(found, "note", "warn", "fail") == {name: mark}
    assert found[name].text.startswith(words)
    assert "CONFIG SET" in found[name].hint
    assert code == (mark == "fail")


@pytest.mark.parametrize(("share", "mark", "code"), [(0.5, "ok", 0), (0.88, "warn", 0), (1.5, "fail", 1)])
def test_low_memory_is_reported_in_time(
    healthy: State, env: dict[str, str], share: float, mark: str, code: int
) -> None:
    # Large against what the connections of the checks themselves take.
    healthy.client.setrange("filler", 30_000_000, "x")
    healthy.client.pexpire("filler", MINUTE_MS)
    used = int(healthy.client.info("memory")["used_memory"])
    with configured(healthy, maxmemory=round(used / share)):
        found_code, found = doctor(env)
    healthy.client.delete("filler")

    assert (found["memory"].mark, found_code) == (mark, code)


def test_what_a_managed_server_keeps_to_itself_is_a_note(healthy: State, env: dict[str, str]) -> None:
    with limited_user(healthy, env["WINBACK_REDIS_URL"], "+@all", "-config") as url:
        code, found = doctor({**env, "WINBACK_REDIS_URL": url})

    assert code == 0
    assert marks(found, "note", "warn", "fail") == {"compact": "note"}
    assert "could not be read" in found["compact"].text


@pytest.mark.parametrize(
    ("seconds", "mark", "code"), [(-30, "warn", 0), (-5, "warn", 0), (5, "warn", 0), (90, "fail", 1), (-90, "fail", 1)]
)
def test_clock_difference_is_reported(healthy: State, env: dict[str, str], seconds: int, mark: str, code: int) -> None:
    with time_machine.travel(now_ms(healthy) / 1000 + seconds, tick=True):
        found_code, found = doctor(env)

    assert (found["clock"].mark, found_code) == (mark, code)
    assert found["clock"].text.endswith(" s apart")


def test_dead_port_fails_in_one_line_and_names_unchecked_parts(env: dict[str, str]) -> None:
    port = dead_port()
    code, found = doctor({**env, "WINBACK_REDIS_URL": f"redis://u:hunter2@127.0.0.1:{port}/0"})

    assert code == 1
    assert marks(found, "fail") == {"server": "fail", "broker": "fail"}
    assert found["server"].text == f"redis_url (127.0.0.1:{port}): nothing listens there"
    assert found["server"].hint == "start it, or fix WINBACK_REDIS_URL"
    assert found["broker"].text == f"127.0.0.1:{port}: nothing listens there"
    assert found["not checked"].mark == "note"


def test_a_frozen_server_gets_an_answer_all_the_same(valkey: EmbeddedValkey, env: dict[str, str]) -> None:
    started = monotonic()
    with frozen(valkey):
        code, found = doctor(env)

    assert monotonic() - started < PATIENCE_S
    assert code == 1
    assert "it doesn't answer in time" in found["server"].text
    assert "it doesn't answer in time" in found["broker"].text


def test_a_password_that_is_refused_is_called_that_and_not_shown(healthy: State, env: dict[str, str]) -> None:
    with configured(healthy, requirepass="right"):
        healthy.client.auth("right")
        url = env["WINBACK_REDIS_URL"].replace("redis://", "redis://:hunter2@")
        code, shown = run("doctor", **{**env, "WINBACK_REDIS_URL": url})

    assert code == 1
    assert shown.count("it refuses the user or password") == 2
    assert shown.count("correct the user and password in WINBACK_REDIS_URL") == 2
    assert "hunter2" not in shown


# The deployment


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("schema", "another version"),
        ("partitions", "another number of partitions"),
        ("identity", "identity_secret isn't"),
    ],
)
def test_data_of_another_deployment_is_found(healthy: State, env: dict[str, str], field: str, words: str) -> None:
    healthy.client.hset(healthy.keys.deployment, field, "other")
    code, found = doctor(env)

    assert code == 1
    failing = {"deployment": "fail", "secrets": "fail"} if field == "identity" else {"deployment": "fail"}
    assert marks(found, "fail") == failing
    assert f"{field} differs" in found["deployment"].text
    assert words in found["deployment"].text


def test_a_host_without_the_secret_compares_the_rest(healthy: State, env: dict[str, str]) -> None:
    assert healthy.client.hget(healthy.keys.deployment, "identity")
    _, found = doctor({**env, "WINBACK_IDENTITY_SECRET": ""})

    assert marks(found, "fail") == {"secrets": "fail"}
    assert found["secrets"].text.startswith("identity_secret: is missing; set WINBACK_IDENTITY_SECRET")


@pytest.mark.parametrize(
    ("keys", "mark", "words"),
    [
        ("", "fail", f"encrypted under a key that is missing here ({key_id(KEY)})"),
        (OTHER.hex(), "fail", f"encrypted under a key that is missing here ({key_id(KEY)})"),
        (KEY.hex(), "ok", f"on: personal data is encrypted under key {key_id(KEY)}"),
        (f"{OTHER.hex()},{KEY.hex()}", "ok", f"under key {key_id(OTHER)}, 1 more for older data"),
    ],
)
def test_missing_encryption_keys_are_reported(
    healthy: State, env: dict[str, str], keys: str, mark: str, words: str
) -> None:
    deployment.check(healthy.scripts, healthy.keys, SECRET, [key_id(KEY)])
    code, found = doctor({**env, "WINBACK_ENCRYPTION_KEYS": keys})

    assert (code, found["encryption"].mark) == (mark == "fail", mark)
    assert words in found["encryption"].text
    assert deployment.recorded_keys(healthy.scripts, healthy.keys) == [key_id(KEY)]
