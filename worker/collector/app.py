"""The collector's HTTP application: its paths, and the answer to each request."""

from collections.abc import Callable, Mapping

import structlog
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from worker.collector.acceptance import Acceptance, Request
from worker.collector.answers import (
    FAILED,
    NOT_ALLOWED,
    NOT_FOUND,
    Refusal,
    RefusedError,
    send_answer,
    send_refusal,
    send_success,
)
from worker.collector.bodies import ClientGoneError
from worker.collector.cors import origin_headers, preflight_headers
from worker.collector.own_events import OwnEvents
from worker.collector.snippet import PATH, Snippet
from worker.collector.source import RequestSource

NOT_READY = Refusal(503, "not_ready", "Events can't be stored at the moment.", retry_after_s=10)

log = structlog.stdlib.get_logger("winback.collector")


class _Endpoint:
    """Answers the requests of one path."""

    def __init__(self, acceptance: Acceptance, source: RequestSource) -> None:
        self._acceptance = acceptance
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        if scope["method"] == "OPTIONS":
            await send_answer(send, 200, b"", preflight_headers(headers))
            return
        totals = self._acceptance.totals
        totals.requests += 1
        origin = origin_headers(headers)
        try:
            _require_post(scope)
            await self._acceptance.accept(Request(scope, receive, headers), self._source)
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
            await send_success(send, origin)


def _require_post(scope: Scope) -> None:
    if scope["method"] != "POST":
        raise RefusedError(NOT_ALLOWED)


class _Health:
    """Answers 200 while a condition holds."""

    def __init__(self, holds: Callable[[], bool]) -> None:
        self._holds = holds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await (send_success(send) if self._holds() else send_refusal(send, NOT_READY))


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    if scope["type"] == "http":
        await send_refusal(send, NOT_FOUND)


def create_app(
    acceptance: Acceptance, is_ready: Callable[[], bool], sources: Mapping[str, RequestSource] | None = None
) -> ASGIApp:
    """Return the application.

    Args:
        acceptance: Takes requests over.
        is_ready: Whether events can be stored.
        sources: By path, in addition to `/events`.
    """
    # Metrics of Segment's SDKs are no events, and come without a key.
    routes = [Route("/v1/m", _Health(lambda: True), methods=["POST"])]
    every = {"/events": OwnEvents(), **(sources or {})}
    routes += [Route(path, _Endpoint(acceptance, source)) for path, source in every.items()]
    routes.append(Route(PATH, Snippet(), methods=["GET"]))
    routes += [Route("/healthz", _Health(lambda: True)), Route("/readyz", _Health(is_ready))]
    return Router(routes, redirect_slashes=False, default=_not_found)
