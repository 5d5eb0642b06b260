"""A healthy system for `winback doctor`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli_support import environment, listener, make_healthy
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def env(valkey: EmbeddedValkey) -> Iterator[dict[str, str]]:
    """A system in shadow mode whose endpoint can be reached."""
    with listener() as (port, _):
        yield environment(valkey.url, WINBACK_DELIVERY__ENDPOINT=f"http://127.0.0.1:{port}/")


@pytest.fixture
def healthy(real_state: State) -> State:
    make_healthy(real_state)
    return real_state
