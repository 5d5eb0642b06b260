import io
import json
import logging
import warnings

import httpx
import pytest
import structlog

from tests.support.faulty_server import FaultyServer, reply
from tests.support.logging_lines import _untouched_afterwards, configured
from worker.logs import setup

__all__ = ["_untouched_afterwards"]  # fixtures


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_line_is_a_json_object_with_time_level_logger_and_role() -> None:
    lines = configured(json=True)

    structlog.stdlib.get_logger("tasks.delivery.attempt").info(
        "sent", outreach="o1", attempt=1, seconds=0.25, reason=None
    )

    [line] = map(json.loads, lines())
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "sent",
        "logger": "tasks.delivery.attempt",
        "role": "recover",
        "outreach": "o1",
        "attempt": 1,
        "seconds": 0.25,
        "reason": None,
    }


def test_lines_are_for_people_on_a_terminal_and_json_elsewhere() -> None:
    screen, pipe = Screen(), io.StringIO()

    setup.configure("sweep", stream=screen)
    structlog.stdlib.get_logger("x").info("claimed")
    setup.configure("sweep", stream=pipe)
    structlog.stdlib.get_logger("x").info("claimed")

    assert "\x1b[" in screen.getvalue()
    assert "claimed" in screen.getvalue()
    assert json.loads(pipe.getvalue())["event"] == "claimed"


def test_configuring_again_replaces_what_was_set_up_before() -> None:
    earlier = configured(json=True)
    lines = configured(json=True)

    logging.getLogger("celery.worker").info("ready")

    assert earlier() == []
    assert len(lines()) == 1


@pytest.mark.parametrize("name", ["celery.worker", "kombu.connection", "uvicorn.error", "uvicorn.access", "tornado"])
def test_standard_library_loggers_use_the_same_renderer(name: str) -> None:
    own = logging.StreamHandler(io.StringIO())
    logging.getLogger("uvicorn").addHandler(own)
    lines = configured(json=True)

    logging.getLogger(name).warning("lost %s", "redis://:hunter2@h/0")

    [line] = map(json.loads, lines())
    assert (line["event"], line["level"], line["logger"], line["role"]) == (
        "lost redis://:****@h/0",
        "warning",
        name,
        "recover",
    )
    assert logging.getLogger("uvicorn").handlers == []


def test_warnings_are_lines_too() -> None:
    lines = configured(json=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old", UserWarning, stacklevel=1)

    [line] = map(json.loads, lines())
    assert "UserWarning: old" in line["event"]


def test_what_is_below_the_level_is_left_out() -> None:
    lines = configured(json=True, level=logging.WARNING)

    structlog.stdlib.get_logger("x").info("quiet")
    logging.getLogger("y").info("quiet")
    structlog.stdlib.get_logger("x").warning("loud")

    assert [json.loads(line)["event"] for line in lines()] == ["loud"]


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_requests_leave_no_line_with_their_url_or_headers(level: int) -> None:
    lines = configured(json=True, level=level)

    with FaultyServer(reply()) as server:
        httpx.get(server.url, headers={"private-secret-key": "hunter2"}, trust_env=False)

    assert "hunter2" not in "".join(lines())
    assert [line for line in lines() if json.loads(line)["logger"].startswith("http")] == []


def test_a_logger_that_passes_nothing_on_is_logged_too() -> None:
    lines = configured(json=True)
    logger = logging.getLogger("tests.of.its.own")
    logger.propagate = False

    logger.warning("Process %r exited", "ForkPoolWorker-4")

    [line] = map(json.loads, lines())
    assert line["event"] == "Process 'ForkPoolWorker-4' exited"
    assert line["role"] == "recover"
