"""Serving HTTP from the main thread of a command, until a signal ends it."""

import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from worker.errors import StartError

_LAST_PORT = 65535


def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    listening: Callable[[str], object],
    named: tuple[str, str] = ("--host", "--port"),
    **options: object,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish open requests within a second and return. For the main thread.

    Args:
        app: The application.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        listening: Called with the address (`http://host:port`) once connections are accepted.
        named: The names of the address and the port in the settings or options.
        options: Options of uvicorn that differ from those common to all of Winback's servers.

    Raises:
        StartError: The address can't be listened on.
    """
    listener = _listen(host, port, *named)
    with contextlib.closing(listener):
        common: dict[str, object] = {
            "ws": "none",
            "loop": "asyncio",
            "log_config": None,
            "log_level": "error",
            "access_log": False,
            "server_header": False,
            # Use the client's real address, not one from a header.
            "proxy_headers": False,
            "timeout_graceful_shutdown": 1,
        }
        server = uvicorn.Server(uvicorn.Config(app, **(common | options)))  # type: ignore[arg-type]
        with _ended_by_signals(server):
            listening(_url(listener))
            server.run(sockets=[listener])


def _listen(host: str, port: int, host_name: str, port_name: str) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise StartError(f"{port_name} {port}: must be between 0 and {_LAST_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise StartError(f"{host_name} {host} {port_name} {port}: no address to listen on ({exc})") from exc
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise StartError(
                f"{port_name} {port}: already in use on {host}; end what listens there, or choose another port"
            ) from exc
        raise StartError(f"{host_name} {host} {port_name} {port}: can't be listened on ({exc.strerror})") from exc
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    # Uvicorn raises a signal again after it has stopped, for an earlier handler. With this handler it has no effect,
    # and the command ends with 0.
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
