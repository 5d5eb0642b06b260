"""Checks whether the broker and the endpoint can be reached. Sends no request to Yuno."""

import socket
from collections.abc import Sequence
from contextlib import suppress

import httpx
from kombu.connection import Connection
from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError

from tasks.delivery.deadline_transport import pinned_ssl_context
from tasks.delivery.resolving import addresses, kinds_of_addresses
from worker.diagnosis import chain, diagnose
from worker.monitoring.finding import Finding
from worker.server_errors import NO_HOST, address, reason
from worker.settings import Settings
from worker.settings.urls import derived_broker_url

_CONNECT_S = 3.0
_BROKER_S = 2.0
"""kombu tries twice, two seconds apart."""


def broker(settings: Settings) -> Finding:
    """Connect to the broker.

    Raises:
        Exception: It can't be reached; each broker's client has its own errors.
    """
    url = settings.broker_url
    if url is None:
        return Finding("broker", "fail", "broker_url: is missing", "set WINBACK_REDIS_URL or WINBACK_BROKER_URL")
    redis = url.startswith("redis")
    options = {"socket_timeout": _BROKER_S, "socket_connect_timeout": _BROKER_S} if redis else {}
    with Connection(  # type: ignore[no-untyped-call] # kombu's constructor has no annotations
        url, connect_timeout=_BROKER_S, transport_options=options
    ) as connection:
        connection.connect()
        if redis and _is_clustered(connection.channel().client):
            text = f"{address(url)} is a node of a Redis Cluster, which Celery can't use as a broker"
            return Finding("broker", "fail", text, "set WINBACK_BROKER_URL to one small Redis, or RabbitMQ")
    return Finding("broker", "ok", f"{address(url)} can be reached")


def broker_is_away(settings: Settings) -> Finding:
    """Return the finding for a broker that can't be reached."""
    return Finding(
        "broker",
        "fail",
        address(settings.broker_url or ""),
        f"start it, or fix {'WINBACK_REDIS_URL' if _is_derived(settings) else 'WINBACK_BROKER_URL'}",
    )


def broker_problem(settings: Settings, problem: Exception) -> Finding | None:
    """Return the finding for an error of the broker that has an explanation. This may probe the port for 2 s."""
    url = settings.broker_url or ""
    setting = "WINBACK_REDIS_URL" if _is_derived(settings) else "WINBACK_BROKER_URL"
    if found := diagnose(problem, url, setting, probe=True):
        return Finding("broker", "fail", f"{address(url)}: {found.reason}", found.hint)
    if reason(problem) == NO_HOST:
        return Finding("broker", "fail", f"{address(url)}: {NO_HOST}", f"fix the host name in {setting}")
    return None


def _is_derived(settings: Settings) -> bool:
    try:
        return derived_broker_url(settings.redis_url or "") == settings.broker_url
    except ValueError:
        return False


def _is_clustered(client: Redis) -> bool:
    try:
        return bool(client.info("cluster").get("cluster_enabled"))
    except NoPermissionError:
        return False  # a server that doesn't permit INFO has answered, which is enough
    except ResponseError as problem:
        # A wrong database or an unexpected password is an error of each command.
        if "unknown command" in str(problem).lower():
            return False
        raise


def endpoint(settings: Settings) -> Finding:
    """Connect to the endpoint and complete the TLS handshake, no more: a request could call a person.

    Raises:
        Exception: It can't be reached.
    """
    host, port, tls = _where(settings)
    with _first_that_answers(
        addresses(host, port, private=settings.delivery.allow_private_endpoint), port
    ) as connection:
        if tls:
            # The certificates that the client itself trusts.
            context = pinned_ssl_context()
            context.wrap_socket(connection, server_hostname=host).close()
    works = f"{host}:{port} can be reached{', its certificate is valid' if tls else ''}"
    kinds = kinds_of_addresses(host, port, private=settings.delivery.allow_private_endpoint)
    unused = ", ".join(f"{address} ({kind})" for address, kind in kinds.items() if kind)
    if unused:
        hint = "the name of a public API has only public addresses; ask your DNS operators"
        return Finding("endpoint", "warn", f"{works}, but it also has {unused}, where nothing is sent", hint)
    return Finding("endpoint", "ok", works)


def _first_that_answers(every: Sequence[str], port: int) -> socket.socket:
    for address_ in every[:-1]:
        with suppress(OSError):
            return socket.create_connection((address_, port), timeout=_CONNECT_S)
    return socket.create_connection((every[-1], port), timeout=_CONNECT_S)


def endpoint_is_away(settings: Settings) -> Finding:
    """Return the finding for an endpoint that can't be reached."""
    host, port, _ = _where(settings)
    if settings.delivery.mode != "live":
        return Finding("endpoint", "warn", f"{host}:{port}", "needed only in live mode, and only by recover")
    return Finding(
        "endpoint", "fail", f"{host}:{port}", "allow connections from recover's host to it, or fix delivery.endpoint"
    )


def endpoint_problem(settings: Settings, problem: Exception) -> Finding | None:
    """Return the finding for an error of the endpoint whose fix isn't the network's; None for all others."""
    host, port, _ = _where(settings)
    if settings.delivery.mode != "live" or not any(isinstance(one, ConnectionRefusedError) for one in chain(problem)):
        return None
    return Finding("endpoint", "fail", f"{host}:{port}: nothing listens there", "start it, or fix delivery.endpoint")


def _where(settings: Settings) -> tuple[str, int, bool]:
    """Return host, port, and whether TLS is used."""
    url = httpx.URL(settings.delivery.endpoint)
    tls = url.scheme == "https"
    return url.host, url.port or (443 if tls else 80), tls
