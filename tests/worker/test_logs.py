import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from pydantic import BaseModel, SecretStr, ValidationError

from tests.support.faulty_server import FaultyServer, reply
from worker.logs import setup

FORGERIES = [
    "a\n2026-01-01T00:00:00Z [error] forged",
    "a\r\nforged",
    "a\u2028forged",
    "a\x85forged",
    "a\x0bforged",
    "a\x1b[2K\x1b[1Aforged",
    "a\x9b2Kforged",
    "a\u202eforged",
    "a\x00forged",
    "a\ud800forged",
]

Lines = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _untouched_afterwards() -> Iterator[None]:
    """Logging is the process's: what a test sets up must not reach the next one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("httpx", "httpcore", "uvicorn", "uvicorn.error", "uvicorn.access")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def fail(error: Exception) -> None:
    raise error


def configured(*, json: bool, level: int = logging.INFO) -> Lines:
    stream = io.StringIO()
    setup.configure("recover", json=json, level=level, stream=stream)
    return lambda: stream.getvalue().split("\n")[:-1]


def test_a_line_is_one_json_object_with_time_level_logger_and_role() -> None:
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
def test_the_standard_librarys_loggers_go_through_the_same_renderer(name: str) -> None:
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


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("as_json", [True, False])
def test_no_value_can_forge_a_line(forgery: str, *, as_json: bool) -> None:
    lines = configured(json=as_json)
    log = structlog.stdlib.get_logger(forgery)

    log.info(forgery, value=forgery, inner={forgery: [forgery]}, thing=Path(forgery), **{forgery: 1})
    logging.getLogger(forgery).info("%s", forgery, extra={"field": forgery})

    written = lines()
    assert len(written) == 2
    assert all(line.isprintable() for line in written)
    assert all(len(line.splitlines()) == 1 for line in written)


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("foreign", [True, False])
@pytest.mark.parametrize("as_json", [True, False])
def test_no_exception_can_forge_a_line(forgery: str, *, foreign: bool, as_json: bool) -> None:
    lines = configured(json=as_json)
    log = logging.getLogger("x") if foreign else structlog.stdlib.get_logger("x")

    try:
        fail(ValueError(forgery))
    except ValueError:
        log.exception("failed")

    first, *others = lines()
    assert "failed" in first
    assert all(line.isprintable() for line in [first, *others])
    assert all(line.startswith("    ") for line in others)
    assert bool(others) is not as_json
    assert "Traceback" in "".join([first, *others])


def test_a_traceback_holds_no_local_variables() -> None:
    lines = configured(json=False)

    try:
        full_name = "jane doe".title()
        fail(ValueError(len(full_name)))
    except ValueError:
        structlog.stdlib.get_logger("x").exception("failed")

    assert "Traceback" in "".join(lines())
    assert "Jane Doe" not in "".join(lines())


@pytest.mark.parametrize(
    "name",
    [
        "identity_secret",
        "encryption_keys",
        "secret",
        "public_api_key",
        "private-secret-key",
        "PASSWORD",
        "basic_auth",
        "authorization",
        "phone_number",
        "customer_email",
        "full_name",
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_values_under_secret_or_personal_names_are_masked(name: str, *, as_json: bool) -> None:
    lines = configured(json=as_json)

    structlog.stdlib.get_logger("x").info(
        "e", **{name: "hunter2"}, deep=[{name: ["hunter2"]}], headers={name: b"hunter2"}
    )
    logging.getLogger("y").info("e %s", {"a": 1}, extra={name: "hunter2"})

    text = "\n".join(lines())
    assert "hunter2" not in text
    assert "****" in text


@pytest.mark.parametrize("as_json", [True, False])
def test_passwords_in_urls_are_masked_wherever_they_stand(*, as_json: bool) -> None:
    lines = configured(json=as_json)
    url = "redis://:hun/ter@2@h:6379/0"

    try:
        fail(ConnectionError(f"cannot reach {url}"))
    except ConnectionError:
        structlog.stdlib.get_logger("x").exception(f"lost {url}", url=url, urls=[url], key=SecretStr(url))

    text = "\n".join(lines())
    assert "ter" not in text
    assert "h:6379" in text


@pytest.mark.parametrize("as_json", [True, False])
def test_a_phone_number_in_somebody_elses_message_is_masked(*, as_json: bool) -> None:
    class Customer(BaseModel):
        age: int

    lines = configured(json=as_json)
    event = {"age": "Jane\nDoe"}

    try:
        Customer.model_validate(event)
    except ValidationError:
        logging.getLogger("x").exception("cannot call +573001234567")

    text = "\n".join(lines())
    assert "3001234567" not in text
    assert "Jane" not in text
    assert "age" in text


@pytest.mark.parametrize("as_json", [True, False])
def test_whatever_is_logged_makes_a_line(*, as_json: bool) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    cycle: list[object] = []
    cycle.append(cycle)
    lines = configured(json=as_json)

    structlog.stdlib.get_logger("x").info(
        "odd", broken=Broken(), cycle=cycle, nan=float("nan"), keys={(1, 2): {3}}, data=b"\xff", number=10**30
    )

    [line] = lines()
    assert "odd" in line
    assert "without a repr" in line
    if as_json:
        assert json.loads(line, parse_constant=pytest.fail)["nan"] == "nan"


def test_a_line_that_cannot_be_written_tells_nothing_of_what_it_held(capsys: pytest.CaptureFixture[str]) -> None:
    lines = configured(json=True)

    logging.getLogger("x").info("called %d", "hunter2")

    [line] = map(json.loads, lines())
    assert line == {"event": "log_line_lost", "logger": "x", "problem": "TypeError"}
    assert capsys.readouterr().err == ""
