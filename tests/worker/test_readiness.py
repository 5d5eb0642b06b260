"""Everything is up once each started process has recorded a heartbeat."""

import os

import pytest

from state import deployment
from tests.support.cli_support import dead_port
from tests.support.processes import Lines
from tests.support.waiting import eventually
from worker.runtime import State
from worker.settings import FlowerSettings, Settings
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.readiness import announce_readiness, are_up

pytestmark = pytest.mark.xdist_group("valkey")

OURS = {"ingest": os.getpid(), "beat": os.getpid()}


@pytest.fixture
def settings(valkey: EmbeddedValkey, real_state: State) -> Settings:
    return Settings(redis_url=valkey.url, namespace=real_state.keys.namespace)


def test_role_is_up_once_its_own_process_has_reported(settings: Settings, real_state: State) -> None:
    names = ["ingest", "beat"]
    assert not are_up(settings, names, OURS)
    deployment.heartbeat(real_state.scripts, real_state.keys, "ingest")
    assert not are_up(settings, names, OURS)
    deployment.heartbeat(real_state.scripts, real_state.keys, "beat")
    assert are_up(settings, names, OURS)
    assert not are_up(settings, names, {"ingest": os.getpid()})
    # A predecessor's heartbeat doesn't count for this process.
    assert not are_up(settings, names, {**OURS, "beat": os.getpid() + 1})


def test_flower_is_up_when_it_answers(settings: Settings) -> None:
    silent = settings.model_copy(update={"flower": FlowerSettings(port=dead_port())})
    assert not are_up(silent, ["flower"], {"flower": 1})


def test_nothing_is_up_while_the_server_is_away() -> None:
    assert not are_up(Settings(redis_url=f"redis://127.0.0.1:{dead_port()}/0"), ["ingest"], OURS)


def test_readiness_is_printed_once(settings: Settings, real_state: State) -> None:
    lines = Lines()
    thread = announce_readiness(settings, ["ingest"], lambda: OURS, lines)
    assert lines.all == []
    deployment.heartbeat(real_state.scripts, real_state.keys, "ingest")
    eventually(lambda: not thread.is_alive())
    assert lines.all == [("winback", "everything is up: ingest")]
