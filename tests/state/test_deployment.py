"""The shared settings of one deployment's processes, and their heartbeats."""

import pytest

from state import deployment
from state.connection import connect, require_suitable
from state.errors import DeploymentMismatchError, ServerUnavailableError, ServerUnsuitableError
from state.keys import HEARTBEAT_TTL_MS, Keys
from state.scripts import Scripts
from tests.support.durations import DAY_MS, MINUTE_MS
from tests.support.states import SECRET, FakeScripts, make_state
from tests.support.stored_state import now_ms, texts, ttl_ms
from worker.runtime import State


def test_the_first_start_records_the_deployment(state: State) -> None:
    deployment.check(state.scripts, state.keys, SECRET)
    assert texts(state, state.keys.deployment) == {
        "schema": str(deployment.SCHEMA_VERSION),
        "partitions": "64",
        "identity": deployment.fingerprint(SECRET),
    }


def test_a_start_like_the_first_is_let_in(state: State) -> None:
    for _ in range(2):
        deployment.check(state.scripts, state.keys, SECRET)


def test_a_process_without_the_secret_is_let_in_and_records_none(state: State) -> None:
    deployment.check(state.scripts, state.keys, None)
    assert "identity" not in texts(state, state.keys.deployment)
    deployment.check(state.scripts, state.keys, SECRET)
    deployment.check(state.scripts, state.keys, None)


def test_another_secret_stops_the_start_with_the_way_out(state: State) -> None:
    deployment.check(state.scripts, state.keys, SECRET)
    with pytest.raises(DeploymentMismatchError, match=r"identity_secret isn't the one .* earlier secret") as caught:
        deployment.check(state.scripts, state.keys, b"another secret")
    assert "\n" not in str(caught.value)
    assert "another secret" not in str(caught.value)


@pytest.mark.parametrize(("field", "words"), [("schema", "another version"), ("partitions", "number of partitions")])
def test_data_of_another_sort_stops_the_start_with_the_way_out(state: State, field: str, words: str) -> None:
    state.client.hset(state.keys.deployment, field, "7")
    with pytest.raises(DeploymentMismatchError, match=rf"{field} differs: .*{words}.* another namespace"):
        deployment.check(state.scripts, state.keys, SECRET)


def test_another_namespace_is_another_deployment(state: State) -> None:
    deployment.check(state.scripts, state.keys, SECRET)
    deployment.check(state.scripts, Keys("staging"), b"another secret")


def test_fingerprint_does_not_reveal_the_secret() -> None:
    found = deployment.fingerprint(SECRET)
    assert len(found) == 16
    assert found != deployment.fingerprint(SECRET + b"!")
    assert SECRET.decode() not in found


def test_heartbeat_is_listed_with_the_server_time(state: State) -> None:
    before_ms = now_ms(state)
    deployment.heartbeat(state.scripts, state.keys, "ingest")
    (beat,) = deployment.heartbeats(state.scripts, state.keys, "ingest")
    assert before_ms <= beat.at_ms <= now_ms(state)
    assert deployment.heartbeats(state.scripts, state.keys, "sweep") == []
    left = ttl_ms(state, state.keys.heartbeat("ingest"))
    assert left is not None
    assert HEARTBEAT_TTL_MS - MINUTE_MS < left <= HEARTBEAT_TTL_MS


def test_the_latest_sign_of_life_comes_first(state: State) -> None:
    state.client.hset(state.keys.heartbeat("ingest"), mapping={"a:1": 100, "b:2": 300, "c:3": 200})
    state.client.pexpire(state.keys.heartbeat("ingest"), DAY_MS)
    assert [beat.process for beat in deployment.heartbeats(state.scripts, state.keys, "ingest")] == [
        "b:2",
        "c:3",
        "a:1",
    ]


def test_problem_is_shown_until_it_is_resolved(state: State) -> None:
    deployment.report(state.scripts, state.keys, "detection", "line 3: idle.checkout has no unit")
    assert deployment.problems(state.scripts, state.keys) == {"detection": "line 3: idle.checkout has no unit"}
    deployment.report(state.scripts, state.keys, "detection", "")
    assert deployment.problems(state.scripts, state.keys) == {}


# The server itself


class _Announcing:
    def __init__(self, **info: str) -> None:
        self._info = info

    def info(self, _section: str) -> dict[str, str]:
        return self._info


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({"redis_version": "7.0.0"}, "redis 7.0.0"),
        ({"redis_version": "8.4.1"}, "redis 8.4.1"),
        ({"redis_version": "7.2.4", "valkey_version": "8.0.0"}, "valkey 8.0.0"),
    ],
)
def test_a_server_that_is_new_enough_is_named(info: dict[str, str], found: str) -> None:
    assert require_suitable(_Announcing(**info)) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("info", "wanted"),
    [
        ({"redis_version": "6.2.14"}, "redis 6.2.14; 7.0"),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.9"}, "valkey 7.2.9; 8.0"),
    ],
)
def test_a_server_that_is_too_old_is_refused_with_what_is_needed(info: dict[str, str], wanted: str) -> None:
    with pytest.raises(ServerUnsuitableError, match=wanted):
        require_suitable(_Announcing(**info))  # type: ignore[arg-type]


@pytest.mark.xdist_group("valkey")
def test_the_embedded_server_is_new_enough(real_state: State) -> None:
    assert require_suitable(real_state.client).startswith("valkey ")


def test_sentinel_login_uses_the_user_of_the_url() -> None:
    with connect("redis+sentinel://winback-recover:p%40ss@127.0.0.1:1/mymaster/0") as client:
        given = client.connection_pool.connection_kwargs
    assert (given["username"], given["password"]) == ("winback-recover", "p@ss")


@pytest.mark.parametrize("url", ["http://localhost", "postgres://x/y", "redis+sentinel://host:26379"])
def test_a_url_that_cannot_be_used_names_the_setting(url: str) -> None:
    with pytest.raises(ServerUnsuitableError, match=r"^redis_url: "):
        connect(url)


def test_unreachable_server_is_reported_as_unavailable() -> None:
    state = make_state(client := connect("redis://127.0.0.1:1"), Scripts(client))
    with pytest.raises(ServerUnavailableError, match="does not answer"):
        state.outbox.leased()
    with pytest.raises(ServerUnavailableError, match="does not answer"):
        state.streams.watermark()


def test_scripts_that_the_server_has_forgotten_are_sent_again(state: State) -> None:
    for _ in range(2):
        assert state.outbox.reap().missing == 0
        assert state.streams.watermark().first == ""
        state.client.script_flush()


def test_fakeredis_runs_the_script_without_its_first_line() -> None:
    """Otherwise the two servers would not run the same scripts."""
    fake, real = FakeScripts(None), Scripts(None)  # type: ignore[arg-type]
    for name in ("apply", "claim", "settle", "acknowledge"):
        first, _, rest = real.text(name).partition("\n")
        assert first.startswith("#!lua")
        assert fake.text(name) == rest


@pytest.mark.parametrize("older", [2, 3])
def test_data_of_an_older_version_is_refused_with_one_message(state: State, older: int) -> None:
    deployment.check(state.scripts, state.keys, SECRET)
    state.client.hset(state.keys.deployment, "schema", older)
    with pytest.raises(
        DeploymentMismatchError, match=r"other names of keys.*optout export > FILE.*optout import FILE"
    ) as caught:
        deployment.check(state.scripts, state.keys, SECRET)
    assert "\n" not in str(caught.value)
    assert texts(state, state.keys.deployment)["schema"] == str(older)
