"""Settings that SDKs fetch before they send anything: Segment's of a project, and RudderStack's of a source.

Both name no other destination. Segment's names the host for the events. Without it, an SDK in an app would send the
events of its shoppers to Segment.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from detectors.json_values import JsonObject
from worker.collector.acceptance import Acceptance
from worker.collector.answers import (
    NOT_ALLOWED,
    NOT_FOUND,
    UNAUTHORIZED,
    Refusal,
    RefusedError,
    headers_of,
    send_json,
    send_refusal,
)
from worker.collector.cors import origin_headers, preflight_headers

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:]{2,39}\](?::[0-9]{1,5})?")
_LOCAL = re.compile(r"(?:localhost|127(?:\.[0-9]+){3}|\[::1\])(?::[0-9]+)?")
_NO_HOST = Refusal(400, "no_host", "The request has no Host header that can be used.")
_GET_ONLY = replace(NOT_ALLOWED, message="Fetch settings with GET.", allowed="GET, HEAD, OPTIONS")
_NO_STORE = ((b"cache-control", b"no-store"),)
_UPDATED = "2026-01-01T00:00:00.000Z"

Answer = Callable[[Scope, Mapping[str, str]], JsonObject]
"""Returns the settings for a request with these headers, or raises RefusedError."""


def project_settings(acceptance: Acceptance) -> ASGIApp:
    """Return the endpoint of `/v1/projects/{key}/settings`, for Segment's SDKs in browsers and apps."""

    def answer(scope: Scope, headers: Mapping[str, str]) -> JsonObject:
        key = scope["path_params"]["key"]
        if not acceptance.knows(scope, headers, key):
            raise RefusedError(NOT_FOUND)
        return _project(key, headers.get("host", ""), scope["scheme"])

    return _Settings(answer)


def source_config(acceptance: Acceptance) -> ASGIApp:
    """Return the endpoint of `/sourceConfig/`, for RudderStack's SDKs in browsers and apps."""

    def answer(scope: Scope, headers: Mapping[str, str]) -> JsonObject:
        if not acceptance.knows(scope, headers):
            raise RefusedError(UNAUTHORIZED)
        return _source()

    return _Settings(answer)


class _Settings:
    """Answers GET with settings."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        headers = headers_of(scope)
        if scope["method"] == "OPTIONS":
            await send_json(send, None, preflight_headers(headers, "GET"))
            return
        origin = origin_headers(headers)
        try:
            _require_get(scope)
            found = self._answer(scope, headers)
        except RefusedError as problem:
            await send_refusal(send, problem.refusal, origin)
        else:
            await send_json(send, found, [*origin, *_NO_STORE])


def _require_get(scope: Scope) -> None:
    if scope["method"] not in {"GET", "HEAD"}:
        raise RefusedError(_GET_ONLY)


def _project(key: str, host: str, scheme: str) -> JsonObject:
    """Return the settings of a Segment project. SDKs in apps always send over HTTPS, browsers unless told otherwise."""
    if not _HOST.fullmatch(host):
        raise RefusedError(_NO_HOST)
    segment: JsonObject = {"apiKey": key, "apiHost": f"{host}/v1", "unbundledIntegrations": []}
    if scheme == "http" and _LOCAL.fullmatch(host):
        segment["protocol"] = "http"
    return {
        "integrations": {"Segment.io": segment},
        "plan": {"track": {}, "identify": {}, "group": {}},
        "edgeFunction": {},
        "middlewareSettings": {},
        "metrics": {"sampleRate": 0},
        "remotePlugins": [],
    }


def _source() -> JsonObject:
    """Return the configuration of a RudderStack source, without destinations and without reports to RudderStack."""
    statistics = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source: JsonObject = {
        "id": "winback",
        "name": "Winback",
        "workspaceId": "winback",
        "writeKey": "",
        "enabled": True,
        "config": {"statsCollection": statistics},
        "destinations": [],
        "connections": [],
        "dataplanes": {},
        "updatedAt": _UPDATED,
    }
    return {"isHosted": True, "source": source, "updatedAt": _UPDATED}
