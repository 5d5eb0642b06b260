"""The collector's HTTP application: its paths, and the answer to each request."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import structlog
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from worker.collector.acceptance import Acceptance, Request
from worker.collector.answers import (
    FAILED,
    NOT_ALLOWED,
    NOT_FOUND,
    Headers,
    Refusal,
    RefusedError,
    headers_of,
    send_answer,
    send_refusal,
    send_success,
)
from worker.collector.bodies import ClientGoneError
from worker.collector.cors import origin_headers, preflight_headers
from worker.collector.pixel import GIF, PixelBody, pixel_headers
from worker.collector.sdk_settings import project_settings, source_config
from worker.collector.snippet import PATH as SNIPPET_PATH
from worker.collector.snippet import Snippet
from worker.collector.source import RequestSource

PIXEL_PATH = "/pixel/"
"""Below it, events come in the URL of a picture."""

NOT_READY = Refusal(503, "not_ready", "Events can't be stored at the moment.", retry_after_s=10)

log = structlog.stdlib.get_logger("winback.collector")


class _Endpoint:
    """Answers the requests of one path."""

    def __init__(self, acceptance: Acceptance, source: RequestSource) -> None:
        self._acceptance = acceptance
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        if scope["method"] == "OPTIONS":
            await send_answer(send, 200, b"", preflight_headers(headers, self._method))
            return
        totals = self._acceptance.totals
        totals.requests += 1
        origin = origin_headers(headers)
        try:
            self._require(scope)
            await self._acceptance.accept(self._request(scope, receive, headers), self._source)
        except RefusedError as problem:
            totals.refused += 1
            await send_refusal(send, problem.refusal, origin)
        except ClientGoneError:
            totals.refused += 1
        except Exception as problem:  # noqa: BLE001 - the request can hold anything, so its traceback isn't logged
            totals.refused += 1
            log.error("request_failed", error=type(problem).__name__)  # noqa: TRY400 - as above
            await send_refusal(send, FAILED, origin)
        else:
            await self._succeed(send, origin)

    _method = "POST"

    def _require(self, scope: Scope) -> None:
        if scope["method"] != self._method:
            raise RefusedError(replace(NOT_ALLOWED, allowed=f"{self._method}, OPTIONS"))

    def _request(self, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Request:
        return Request(scope, receive, headers)

    async def _succeed(self, send: Send, origin: Headers) -> None:
        await send_success(send, origin)


class _Pixel(_Endpoint):
    """Answers requests for a picture whose URL holds an event."""

    _method = "GET"

    def _request(self, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Request:
        del receive
        return Request(scope, PixelBody(scope, scope["path_params"]["route"]), pixel_headers(headers))

    async def _succeed(self, send: Send, origin: Headers) -> None:
        await send_answer(send, 200, GIF, [*origin, (b"cache-control", b"no-store")], content_type=b"image/gif")


class _Health:
    """Answers 200 while a condition holds."""

    def __init__(self, holds: Callable[[], bool]) -> None:
        self._holds = holds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await (send_success(send) if self._holds() else send_refusal(send, NOT_READY))


def _endpoint(path: str) -> type[_Endpoint]:
    return _Pixel if path.startswith(PIXEL_PATH) else _Endpoint


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    if scope["type"] == "http":
        await send_refusal(send, NOT_FOUND)


class _Paths:
    """Finds the endpoint of a path: most are fixed, which is a fraction of the time that patterns take."""

    def __init__(self, endpoints: Mapping[str, ASGIApp], routes: Mapping[str, Collection[str]]) -> None:
        """`routes`: by path with `{route}`, what that stands for."""
        self._fixed: dict[str, tuple[ASGIApp, dict[str, str]]] = {}
        patterns: list[Route] = []
        for path, endpoint in endpoints.items():
            for route in routes.get(path, ()):
                self._fixed[path.format(route=route)] = endpoint, {"route": route}
            if "{" not in path:
                self._fixed[path] = endpoint, {}
            elif path not in routes:
                patterns.append(Route(path, endpoint))
        self._patterns = Router(patterns, redirect_slashes=False, default=_not_found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._fixed.get(scope.get("path", ""))
        if found is None:
            await self._patterns(scope, receive, send)
            return
        endpoint, scope["path_params"] = found
        await endpoint(scope, receive, send)


def create_app(acceptance: Acceptance, is_ready: Callable[[], bool], sources: Mapping[str, RequestSource]) -> ASGIApp:
    """Return the application.

    Args:
        acceptance: Takes requests over.
        is_ready: Whether events can be stored.
        sources: By path.
    """
    configuration, runs = source_config(acceptance), _Health(lambda: True)
    endpoints: dict[str, ASGIApp] = {path: _endpoint(path)(acceptance, source) for path, source in sources.items()} | {
        "/v1/m": runs,  # metrics of Segment's SDKs are no events, and come without a key
        "/v1/projects/{key}/settings": project_settings(acceptance),
        "/sourceConfig": configuration,
        "/sourceConfig/": configuration,
        SNIPPET_PATH: Snippet(),
        "/healthz": runs,
        "/readyz": _Health(is_ready),
    }
    return _Paths(endpoints, {path: source.routes for path, source in sources.items() if "{route}" in path})
