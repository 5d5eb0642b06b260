"""A mock API with keys."""

from collections.abc import Iterator

import pytest

from tests.support.mock_requests import KEYS
from winback.simulation.mock_api.process import MockServer


@pytest.fixture(scope="module")
def running() -> Iterator[MockServer]:
    with MockServer(**KEYS) as server:
        yield server


@pytest.fixture
def server(running: MockServer) -> MockServer:
    running.forget()
    return running
