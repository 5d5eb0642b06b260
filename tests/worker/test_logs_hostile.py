"""What a log line must not hold: forged lines, secrets and personal data."""

import json
import logging
from pathlib import Path

import pytest
import structlog
from pydantic import BaseModel, SecretStr, ValidationError

from tests.support.logging_lines import FORGERIES, _untouched_afterwards, configured

__all__ = ["_untouched_afterwards"]  # fixtures


def fail(error: Exception) -> None:
    raise error


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
def test_phone_number_in_a_library_message_is_masked(*, as_json: bool) -> None:
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


def test_unwritable_line_reveals_nothing_of_its_content(capsys: pytest.CaptureFixture[str]) -> None:
    lines = configured(json=True)

    logging.getLogger("x").info("called %d", "hunter2")

    [line] = map(json.loads, lines())
    assert line == {"event": "log_line_lost", "logger": "x", "problem": "TypeError"}
    assert capsys.readouterr().err == ""
