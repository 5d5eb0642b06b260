"""Runs the stand-in for Yuno's API in this process, until SIGINT or SIGTERM."""

import contextlib
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import uvicorn

from worker.errors import StartError
from worker.mock_api.app import create_app
from worker.mock_api.hangup import HangupProtocol
from worker.mock_api.knobs import MockConfig
from worker.mock_api.lines import LinePrinter

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8099

_LAST_PORT = 65535


def run(config: MockConfig, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
    """Serve until SIGINT or SIGTERM, then answer what is under way within a second and return. For the main thread.

    Args:
        config: How to behave.
        host: The address to listen on.
        port: The port; 0 takes a free one. The first line on standard output says which.

    Raises:
        StartError: The address can't be listened on, or the store can't be written.
    """
    listener = _listen(host, port)
    with contextlib.closing(listener):
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(config),
                http=HangupProtocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                log_level="error",
                access_log=False,
                # Who asks for the control must be seen as it is, not as a header says.
                proxy_headers=False,
                server_header=False,
                # Longer than clients keep a connection: closing first would break requests that nobody broke.
                timeout_keep_alive=600,
                timeout_graceful_shutdown=1,
            )
        )
        with _ended_by_signals(server):
            LinePrinter(quiet=config.quiet, json_lines=config.json_lines).listening(_url(listener))
            server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise StartError(f"--port {port}: must be between 0 and {_LAST_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise StartError(f"--host {host} --port {port}: no address to listen on ({exc})") from exc
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise StartError(
                f"--port {port}: already in use on {host}; end what listens there, or choose another port"
            ) from exc
        raise StartError(f"--host {host} --port {port}: can't be listened on ({exc.strerror})") from exc
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    # Uvicorn raises a signal once more when it has stopped, for whoever had a handler before it: with this one that
    # is no second death, and the command ends with 0.
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _main() -> int:
    """Serve a configuration read from standard input, one line of JSON, and end when standard input does.

    So a parent hands over keys without showing them in the list of processes, and a parent that is killed takes its
    stand-in with it.
    """
    parent = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - read until this process ends
    config = MockConfig.model_validate_json(parent.readline())

    def watch() -> None:
        while parent.read(1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    try:
        run(config, port=int(sys.argv[1]))
    except StartError as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main())
