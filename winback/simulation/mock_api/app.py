"""A mock of Yuno's Recovery Agent API: accepts, checks and counts requests, and misbehaves on demand.

    POST /ai-caller-ms/recovery-payment/external      the API, at each address that Yuno documents
    POST /smart-support/external/payments             (also under /v1)
    GET  /_health                                     200, for all clients
    GET, PUT /_control                                the knobs; PUT sets some and resets all others
    GET, DELETE /_requests                            received requests; DELETE clears them and the idempotency keys
    GET  /_summary                                    their totals

All paths that begin with `_`, except the health, are only served to this machine, because they show customers' data.
"""

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from detectors.validation_messages import plain
from winback.simulation.mock_api.behaviour import HEADER_FORM, Behaviour, MockConfig
from winback.simulation.mock_api.contract import check_body
from winback.simulation.mock_api.disconnect import Disconnect
from winback.simulation.mock_api.headers import Credentials, HeaderProblem, RawHeaders, check_headers, idempotency_key
from winback.simulation.mock_api.ledger import Ledger, RequestEntry, text_at
from winback.simulation.mock_api.replies import FirstAnswers, Reply, Verdict, decide, error_reply
from winback.simulation.mock_api.request_log import LinePrinter

PATHS = ("/ai-caller-ms/recovery-payment/external", "/smart-support/external/payments")

MAX_BODY_BYTES = 1024 * 1024
"""A larger body is refused with 413 and not kept. An event, the source of a request, has at most 64 KiB."""

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(config: MockConfig) -> Starlette:
    """Build the mock. It needs `DisconnectProtocol` as its protocol to drop connections.

    Raises:
        StartError: The store can't be written.
    """
    api = _MockApi(config)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        api.ledger.close()

    app = Starlette(
        routes=[
            *(Route(prefix + path, api.take, methods=["POST"]) for prefix in ("", "/v1") for path in PATHS),
            Route("/_health", _health),
            Route("/_control", _local(api.control), methods=["GET", "PUT"]),
            Route("/_requests", _local(api.requests), methods=["GET", "DELETE"]),
            Route("/_summary", _local(api.summary)),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    # A POST to a path with an additional slash is a wrong setting, and must not be redirected.
    app.router.redirect_slashes = False
    return app


@dataclass(frozen=True, slots=True)
class _Checked:
    document: object = None
    problems: Sequence[HeaderProblem] = ()
    headers_ok: bool | None = None


_UNCHECKED = _Checked()


class _MockApi:
    def __init__(self, config: MockConfig) -> None:
        self.ledger = Ledger(config.store, config.keep)
        self._behaviour = Behaviour(config.knobs)
        self._first = FirstAnswers()
        self._lines = LinePrinter(quiet=config.quiet, json_lines=config.json_lines)
        self._credentials: Credentials | None = None
        if config.public_api_key is not None and config.private_secret_key is not None:
            self._credentials = Credentials(config.public_api_key, config.private_secret_key)

    async def take(self, request: Request) -> Response:
        now = time.time()
        try:
            raw = await _read(request)
        except ClientDisconnect:
            return Disconnect()
        if raw is None:
            return _response(error_reply(413, "INVALID_REQUEST", [f"body: is larger than {MAX_BODY_BYTES} bytes"]))
        knobs, status = self._behaviour.next()
        key = idempotency_key(request.scope["headers"])
        checked = self._check(request.scope["headers"], raw) if knobs.validation else _UNCHECKED
        verdict = decide(knobs, status, checked.problems, key=key, first=self._first, now=now)
        entry = RequestEntry(
            at=now,
            path=request.scope["path"],
            status=verdict.reply.status if verdict.reply is not None and knobs.drop is None else None,
            outcome=verdict.outcome,
            key=key,
            raw=raw,
            headers_ok=checked.headers_ok,
            problems=tuple(problem.message for problem in checked.problems),
        )
        try:
            self.ledger.note(entry, checked.document)
        except OSError as exc:
            if verdict.outcome == "accepted" and key is not None:
                self._first.forget(key)
            return _response(error_reply(500, "STORE_FAILED", [f"the store can't be written: {exc.strerror or exc}"]))
        self._lines.request(entry, text_at(checked.document, "session", "session_id"))
        return await self._answer(verdict, key, knobs.delay, hang_up=entry.status is None)

    def _check(self, headers: RawHeaders, raw: bytes) -> _Checked:
        problems = list(check_headers(headers, self._credentials))
        headers_ok = not problems
        body = check_body(raw)
        problems.extend(HeaderProblem(400, "INVALID_REQUEST", breach) for breach in body.breaches)
        return _Checked(body.document, problems, headers_ok=headers_ok)

    async def _answer(self, verdict: Verdict, key: str | None, delay: timedelta | None, *, hang_up: bool) -> Response:
        try:
            if delay is not None:
                await asyncio.sleep(delay.total_seconds())
        except asyncio.CancelledError:
            # The mock is being stopped, and doesn't wait for a long delay.
            return Disconnect()
        if verdict.outcome == "accepted" and verdict.reply is not None and key is not None:
            self._first.finish(key, verdict.reply)
        return Disconnect() if hang_up or verdict.reply is None else _response(verdict.reply)

    async def control(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                changes = await request.json()
                if not isinstance(changes, dict):
                    return _response(error_reply(400, "INVALID_REQUEST", ["the knobs: must be a JSON object"]))
                self._behaviour.apply_changes(changes)
            except ValidationError as exc:
                messages = [
                    f"{'.'.join(map(str, error['loc']))}: {plain(error, pattern=HEADER_FORM)}" for error in exc.errors()
                ]
                return _response(error_reply(400, "INVALID_REQUEST", messages))
            except ValueError:
                return _response(error_reply(400, "INVALID_REQUEST", ["the knobs: must be JSON"]))
        return JSONResponse(self._behaviour.knobs.model_dump(mode="json"))

    async def requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.ledger.clear()
            self._first.clear()
            return Response(status_code=204)
        return Response(self.ledger.requests(), media_type="application/json")

    async def summary(self, _: Request) -> Response:
        return JSONResponse(self.ledger.summary())


async def _read(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers))


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _http_error(_: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    detail = exc.detail if isinstance(exc, HTTPException) else ""
    return _response(error_reply(status, detail.upper().replace(" ", "_"), [detail]))


def _local(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if request.client is None or not _is_loopback(request.client.host):
            raise HTTPException(403)
        return await endpoint(request)

    return guarded


@lru_cache
def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
