"""Mock APIs that run for a test."""

from collections.abc import Iterator

import pytest

from winback.simulation.mock_api.process import MockServer


@pytest.fixture(scope="module")
def running() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def server(running: MockServer) -> MockServer:
    running.control()
    running.forget()
    return running
