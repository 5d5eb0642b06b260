"""What `status` says of processes that were started with other settings than the rest of their deployment."""

import pytest

from state import deployment
from state.announcements import announce, declare
from tasks.delivery.attempt import attempt
from tests.support.attempts import deps_of
from tests.support.cli_support import make_healthy, read
from tests.support.states import SECRET
from tests.support.stored_state import now_ms
from tests.worker.test_health import problems
from worker import runtime
from worker.monitoring import announcer, health
from worker.monitoring.alarms import failing
from worker.runtime import State
from worker.settings import Settings, load

pytestmark = pytest.mark.xdist_group("valkey")
ENDPOINT = "https://api.example/recover"


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state


def settings(**more: str) -> Settings:
    return load({"WINBACK_IDENTITY_SECRET": SECRET.decode(), "WINBACK_DELIVERY__ENDPOINT": ENDPOINT, **more})


def starts(state: State, role: str, process: str, **more: str) -> None:
    announce(state.scripts, state.keys, role, announcer.about(settings(**more)), process)


def test_processes_with_the_same_settings_are_well(healthy: State) -> None:
    for role in ("ingest", "sweep", "recover", "beat"):
        starts(healthy, role, "a:1")
        starts(healthy, role, "b:1")
    assert problems(healthy) == {}


def test_workers_in_two_modes_are_named_with_their_modes(healthy: State) -> None:
    live = {"WINBACK_DELIVERY__MODE": "live"}
    starts(healthy, "recover", "old:7", **live)
    starts(healthy, "recover", "new:8")
    for process, more in (("old:7", live), ("new:8", {})):
        declare(healthy.scripts, healthy.keys, announcer.sending_mode(settings(**more)), process)
    found = problems(healthy)
    assert "recover old:7: live for api.example; recover new:8: shadow" in found["processes"]
    assert "because the workers' settings for sending differ" in found["sending"]


@pytest.mark.parametrize(
    ("role", "variable", "value", "section"),
    [
        ("recover", "CONTACT__HOLDOUT", "10", "contact"),
        ("ingest", "CONTACT__PURCHASE_COOLDOWN", "7d", "contact"),
        ("recover", "DELIVERY__MAX_ATTEMPTS", "3", "delivery"),
        ("sweep", "DETECTION__IDLE__CHECKOUT", "2m", "detection"),
    ],
)
def test_a_process_with_other_settings_is_named(
    healthy: State, role: str, variable: str, value: str, section: str
) -> None:
    starts(healthy, role, "b:2")
    starts(healthy, role, "c:3")
    starts(healthy, role, "odd:1", **{f"WINBACK_{variable}": value})
    text = problems(healthy)["processes"]
    assert text.startswith(f"{role} odd:1: other [{section}] settings than")


def test_a_process_that_ended_is_not_compared(healthy: State) -> None:
    starts(healthy, "recover", "a:1")
    starts(healthy, "recover", "b:2", WINBACK_DELIVERY__MAX_ATTEMPTS="3")
    key = healthy.keys.announced("recover")
    text = (healthy.client.hget(key, "b:2") or b"").decode().partition(" ")[2]  # type: ignore[union-attr]
    healthy.client.hset(key, "b:2", f"{now_ms(healthy) - 6_500} {text}")
    assert problems(healthy) == {}


@pytest.mark.parametrize(("name", "words"), [("schema", "another version"), ("identity", "another identity_secret")])
def test_a_process_that_differs_from_the_record_is_named(healthy: State, name: str, words: str) -> None:
    starts(healthy, "ingest", "odd:1")
    healthy.client.hset(healthy.keys.deployment, name, "9")
    assert problems(healthy)["processes"].startswith("ingest odd:1: ")
    assert words in problems(healthy)["processes"]


def test_disagreement_is_an_alarm(healthy: State) -> None:
    starts(healthy, "recover", "a:1")
    starts(healthy, "recover", "b:2", WINBACK_DELIVERY__MODE="live")
    assert "processes" in failing(health.findings(read(healthy), Settings()))


def test_nothing_personal_or_secret_is_announced() -> None:
    said = announcer.about(
        settings(
            WINBACK_DELIVERY__PRIVATE_SECRET_KEY="a-private-key",
            WINBACK_DELIVERY__PUBLIC_API_KEY="a-public-key",
            WINBACK_CONTACT__TEST_LIST="+573001234567",
        )
    )
    text = " ".join(said.values())
    assert not [word for word in ("a-private-key", "a-public-key", "3001234567", SECRET.decode()) if word in text]


def test_the_endpoint_does_not_matter_in_shadow_mode() -> None:
    other = {"WINBACK_DELIVERY__ENDPOINT": "https://other.example/"}
    live = {"WINBACK_DELIVERY__MODE": "live"}
    assert announcer.sending_mode(settings()) == announcer.sending_mode(settings(**other))
    assert announcer.sending_mode(settings(**live)) != announcer.sending_mode(settings(**live, **other))


def test_messages_of_another_namespace_are_a_problem(healthy: State) -> None:
    attempt("07-00000000000000ab", deps_of(healthy))
    assert "another namespace uses the same queues" in problems(healthy)["namespaces"]


def test_a_process_announces_itself_with_its_signs_of_life(healthy: State) -> None:
    state = runtime.open_state(settings(WINBACK_REDIS_URL="redis://127.0.0.1:1"), sends=True)
    assert state.sending_mode.startswith("shadow ")
    assert state.about()["namespace"] == "winback"
    assert deployment.heartbeats(healthy.scripts, healthy.keys, "recover")
