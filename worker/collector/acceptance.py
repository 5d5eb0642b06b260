"""The way of one request: read the body, check the key and the rate, read the events, store them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl

from pydantic_core import to_json
from starlette.types import Receive, Scope

from detectors.json_values import JsonObject
from state.collectors import Figures
from storefronts.delivery import Delivery
from storefronts.setups import KEY_CAUSES
from worker.collector.address import Addresses
from worker.collector.answers import UNAUTHORIZED, UNSIGNED, Refusal, RefusedError, too_many, unreadable
from worker.collector.bodies import READ_TIMEOUT_S, TOO_LARGE, Memory, read_body
from worker.collector.committer import Committer
from worker.collector.deliveries import Deliveries
from worker.collector.privacy import Filed
from worker.collector.rates import Buckets
from worker.collector.reading_thread import ReadingThread
from worker.collector.server_clock import ServerClock
from worker.collector.settings import MB, CollectSettings
from worker.collector.source import RequestSource
from worker.collector.spool import SpoolFullError
from worker.collector.time_limit import TimeLimit
from worker.collector.visits import Quarantined, Unplaced
from worker.collector.write_keys import WriteKey, WriteKeys

BODIES_MB = 128
"""What all bodies take together that are being read or stored."""
PUBLIC_SHARE = 8
FULL = Refusal(503, "full", "Events can't be stored at the moment.", retry_after_s=10)
TOO_MANY_OPEN = Refusal(503, "too_many_open", "Too many privacy requests are open.", retry_after_s=3600)


class Totals:
    """Counts since the start."""

    def __init__(self) -> None:
        self.requests = 0
        self.events = 0
        self.ignored = 0
        self.refused = 0

    def figures(self, spool_bytes: int, damaged_bytes: int) -> Figures:
        """Return what is reported."""
        return Figures(spool_bytes, self.requests, self.events, self.refused, damaged_bytes)


class Request(NamedTuple):
    """A request whose body isn't read yet."""

    scope: Scope
    receive: Receive
    headers: Mapping[str, str]
    """By names in small letters."""


class Acceptance:
    """Takes over the events of requests."""

    def __init__(
        self,
        settings: CollectSettings,
        committer: Committer,
        clock: ServerClock,
        has_room_for_requests: Callable[[], bool] = lambda: True,
    ) -> None:
        """`has_room_for_requests`: Whether privacy requests can be kept."""
        self._has_room_for_requests = has_room_for_requests
        self.totals = Totals()
        self.deliveries = Deliveries()
        self._keys = WriteKeys(settings.server_keys, settings.public_keys)
        self._addresses = Addresses(settings.trusted_proxies)
        self._per_key = Buckets(settings.rate_per_key)
        self._per_address = Buckets(settings.rate_per_address)
        self._body_limit = settings.body_limit_mb * MB
        self.memory = Memory(max(BODIES_MB, 2 * settings.body_limit_mb) * MB)
        self._committer = committer
        self._clock = clock
        self._reading = ReadingThread()
        self._time_limit = TimeLimit(READ_TIMEOUT_S)

    def stop(self) -> None:
        """End the thread for large bodies."""
        self._reading.stop()

    async def accept(self, request: Request, source: RequestSource) -> None:
        """Return when all events of a request are stored.

        Raises:
            RefusedError: they are not.
            ClientGoneError: The client has closed the connection.
        """
        taken, body = 0, b""

        def take(size: int) -> None:
            nonlocal taken
            self.memory.take(size)
            taken += size

        try:
            body = await read_body(request.receive, request.headers, self._body_limit, take, self._time_limit)
            await self._store(request, body, source)
        except RefusedError as problem:
            self.deliveries.refused(source.label(_shop(request), body), problem.cause)
            raise
        finally:
            self.memory.give_back(taken)

    def knows(self, scope: Scope, headers: Mapping[str, str], key: str = "") -> bool:
        """Whether `key`, or without it the key that a request names, is known. An unknown one counts for its address.

        Raises:
            RefusedError: the address has sent too much.
        """
        stated, query = ({}, {"writeKey": key}) if key else (headers, _query(scope))
        if self._keys.find(Delivery(b"", _moment(self._clock.now_ms()), stated, query)):
            return True
        self._limit_address(self._addresses.of(scope, headers), 1)
        return False

    async def _store(self, request: Request, body: bytes, source: RequestSource) -> None:
        received_ms = self._clock.now_ms()
        query = _query(request.scope)
        address = self._addresses.of(request.scope, request.headers)
        path = request.scope.get("path_params") or {}
        shop, route = _shop(request), path.get("route", "")
        delivery = Delivery(body, _moment(received_ms), request.headers, query, shop, route)
        access = source.access(delivery, self._keys)
        if access is None:
            self._limit_address(address, 1)
            cause = source.cause(delivery)
            raise RefusedError(UNAUTHORIZED if cause in KEY_CAUSES else UNSIGNED, cause)
        key = access.key
        if key and key.is_public and len(body) * PUBLIC_SHARE > self._body_limit:
            raise RefusedError(TOO_LARGE)
        reading = await self._reading.read(len(body), lambda: source.read(delivery, access))
        self.totals.ignored += len(reading.ignored)
        if reading.problem:
            raise RefusedError(unreadable(reading.problem))
        self._limit(key, address, max(1, len(reading.events)))
        if not self._has_room_for_requests() and any(isinstance(event, Filed) for event in reading.events):
            raise RefusedError(TOO_MANY_OPEN)
        if reading.events:
            await self._commit(received_ms, reading.events, len(body))
        self.deliveries.accepted(source.label(shop, body), reading)

    def _limit(self, key: WriteKey | None, address: str, events: int) -> None:
        if key and key.is_public:
            self._limit_address(address, events)
            wait_s = self._per_key.take(key.number, events, self._clock.steady_s())
            if wait_s:
                raise RefusedError(too_many(wait_s))

    def _limit_address(self, address: str, cost: int) -> None:
        wait_s = self._per_address.take(address, cost, self._clock.steady_s())
        if wait_s:
            raise RefusedError(too_many(wait_s))

    async def _commit(
        self, received_ms: int, events: Sequence[JsonObject | Unplaced | Quarantined | Filed], size: int
    ) -> None:
        # Without the server's time, the arrival in the stream counts: the host's clock can be hours ahead.
        known_ms = received_ms if self._clock.is_known else None
        lines = await self._reading.read(size, lambda: [_written(event, known_ms) for event in events])
        try:
            await self._committer.commit(received_ms, lines)
        except SpoolFullError:
            raise RefusedError(FULL) from None
        self.totals.events += len(events)


def _query(scope: Scope) -> dict[str, str]:
    stated: bytes = scope["query_string"]
    return dict(parse_qsl(stated.decode("latin-1"))) if stated else {}


def _shop(request: Request) -> str:
    shop: str = (request.scope.get("path_params") or {}).get("shop", "")
    return shop


def _moment(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


def _written(event: JsonObject | Unplaced | Quarantined | Filed, received_ms: int | None) -> bytes:
    """Return an event as it goes into the stream. One without a time of its own gets that of its acceptance."""
    if not isinstance(event, dict):
        return event.line()
    if received_ms is not None and not event.get("occurred_at"):
        event = event | {"occurred_at": _moment(received_ms).isoformat(timespec="milliseconds")}
    return to_json(event, inf_nan_mode="null")
