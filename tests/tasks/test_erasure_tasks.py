"""The tasks of requested erasures: due ones are enqueued by their ids, and each is carried out."""

from collections.abc import Iterator, Sequence

import pytest
from celery import Task
from structlog.testing import capture_logs

from state.errors import ServerUnavailableError
from state.privacy_keys import privacy_prefix
from state.privacy_requests import PrivacyRequests
from tasks import celery_tasks, deps
from tasks.broker import BrokerUnavailableError
from tests.support.attempts import deps_of
from tests.support.privacy import ask_for_erasure
from tests.support.requested_erasures import BY_PHONE, PHONE, is_erased, read, visit
from worker.runtime import State


class Queue:
    """Takes the place of the broker."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.is_down = False

    def enqueue(self, task: Task, ids: Sequence[str]) -> None:
        assert task.name == "winback.erase"
        if self.is_down:
            raise BrokerUnavailableError("OperationalError")
        self.ids += ids


@pytest.fixture
def queue(state: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    found = Queue()
    monkeypatch.setattr(celery_tasks, "_broker", lambda _: found)
    monkeypatch.setattr(celery_tasks, "_last", {})
    deps.install(deps_of(state))
    yield found
    deps._installed.clear()


def start(state: State, request: str) -> None:
    """Let a request become due, and start due erasures."""
    state.client.zadd(f"{privacy_prefix(state.keys)}due", {request: 0})
    celery_tasks._last.clear()
    celery_tasks.erasures()


def test_due_erasure_is_enqueued_once(state: State, queue: Queue) -> None:
    request = ask_for_erasure(state, BY_PHONE)
    celery_tasks.erasures()
    assert queue.ids == []
    start(state, request)
    celery_tasks._last.clear()
    celery_tasks.erasures()
    assert queue.ids == [request]


def test_erasure_is_due_again_if_the_broker_is_down(state: State, queue: Queue) -> None:
    request = ask_for_erasure(state, BY_PHONE)
    queue.is_down = True
    start(state, request)
    queue.is_down = False
    start(state, request)
    assert queue.ids == [request]


def test_backlog_of_messages_starts_erasures_once(state: State, queue: Queue) -> None:
    request = ask_for_erasure(state, BY_PHONE)
    start(state, request)
    state.client.zadd(f"{privacy_prefix(state.keys)}due", {request: 0})
    celery_tasks.erasures()
    assert queue.ids == [request]


def test_erasure_is_logged_without_the_person(state: State, queue: Queue) -> None:
    assert queue.ids == []
    visit(state, "s-1")
    request = ask_for_erasure(state, BY_PHONE)
    with capture_logs() as logs:
        celery_tasks.erase(request)
    assert is_erased(state, "s-1")
    assert [(line["event"], line["request"]) for line in logs] == [("person_erased", request)]
    assert PHONE not in str(logs)


def test_failed_erasure_is_logged_with_its_problem(state: State, queue: Queue) -> None:
    assert queue.ids == []
    request = ask_for_erasure(state, {"phone_number": "a word"})
    with capture_logs() as logs:
        celery_tasks.erase(request)
    assert [(line["event"], line["problem"]) for line in logs] == [("erasure_failed", read(state, request).problem)]


def test_server_that_is_down_is_logged(state: State, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ServerUnavailableError("the server is down")

    monkeypatch.setattr(PrivacyRequests, "lease", fail)
    monkeypatch.setattr(PrivacyRequests, "read", fail)
    with capture_logs() as logs:
        celery_tasks.erasures()
        celery_tasks.erase("0123456789ab")
    assert [line["event"] for line in logs] == ["erasures_failed", "erasure_failed"]
    assert queue.ids == []
    assert state.client.keys("*") == []
