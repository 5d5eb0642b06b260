"""The headers that the mock API requires."""

from collections.abc import Callable

import pytest

from tests.support.mock_requests import error, send
from tests.support.strict_mock import running, server
from winback.simulation.mock_api.process import MockServer

__all__ = ["running", "server"]  # fixtures


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda sent: sent.pop("public-api-key"), "public-api-key: is missing"),
        (lambda sent: sent.pop("private-secret-key"), "private-secret-key: is missing"),
        (lambda sent: sent.update({"public-api-key": ""}), "public-api-key: is missing"),
        (lambda sent: sent.update({"public-api-key": "other"}), "public-api-key: is not the key that this"),
        (lambda sent: sent.update({"private-secret-key": "other"}), "private-secret-key: is not the key that this"),
    ],
)
def test_a_wrong_or_missing_key_is_refused(
    server: MockServer, edit: Callable[[dict[str, str]], object], named: str
) -> None:
    response = send(server, edit=edit)
    assert (response.status_code, response.json()["code"]) == (401, "INVALID_CREDENTIALS")
    [message] = response.json()["messages"]
    assert message.startswith(named)
    assert "fictitious" not in response.text
    assert server.requests()[0]["headers_ok"] is False


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_another_content_type_is_refused(server: MockServer, media_type: str | None) -> None:
    response = send(
        server,
        edit=lambda sent: sent.update({"Content-Type": media_type}) if media_type else sent.pop("Content-Type"),
    )
    assert response.status_code == 415
    assert response.json() == error("UNSUPPORTED_MEDIA_TYPE", "content-type: must be application/json")


def test_a_content_type_may_name_its_charset(server: MockServer) -> None:
    response = send(server, edit=lambda sent: sent.update({"Content-Type": "Application/JSON; charset=utf-8"}))
    assert response.status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "1",
        "not-a-uuid-not-a-uuid-not-a-uuid-not",
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",  # version 1
        "9c5b94b1-35ad-49bb-0118-8e8fc24abf80",  # another variant
        "9c5b94b135ad49bbb1188e8fc24abf80",
        "{9c5b94b1-35ad-49bb-b118-8e8fc24abf80}",
        "9c5b94b1-35ad-49bb-b118-8e8fc24abf80" + "0" * 29,
    ],
)
def test_idempotency_key_must_be_a_uuid4(server: MockServer, key: str) -> None:
    response = send(server, key=key)
    assert response.status_code == 400
    assert response.json() == error("INVALID_REQUEST", "X-Idempotency-Key: must be one UUID in version-4 form")


def test_without_configured_keys_any_two_are_accepted() -> None:
    with MockServer() as server:
        assert send(server).status_code == 200
        assert send(server, edit=lambda sent: sent.pop("public-api-key")).status_code == 401
