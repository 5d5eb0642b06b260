"""Runs the mock of Yuno's API in this process, until SIGINT or SIGTERM."""

import os
import signal
import sys
import threading

from winback.simulation.mock_api.app import create_app
from winback.simulation.mock_api.behaviour import MockConfig
from winback.simulation.mock_api.disconnect import DisconnectProtocol
from winback.simulation.mock_api.request_log import LinePrinter
from worker.errors import StartError
from worker.http_server import serve

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8099


def run(config: MockConfig, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
    """Serve until SIGINT or SIGTERM, then finish requests in progress within a second and return. For the main thread.

    Args:
        config: The mock's settings.
        host: The address to listen on.
        port: The port; 0 takes a free one. The first line of standard output has the number.

    Raises:
        StartError: The address can't be used, or the store can't be written.
    """
    printer = LinePrinter(quiet=config.quiet, json_lines=config.json_lines)
    serve(
        create_app(config),
        host,
        port,
        listening=printer.listening,
        http=DisconnectProtocol,
        lifespan="on",
        # Longer than clients keep a connection: closing first would break requests without a knob for it.
        timeout_keep_alive=600,
    )


def _main() -> int:
    """Serve a configuration read from standard input, one line of JSON, and exit when standard input ends.

    So a parent can pass keys without showing them in the list of processes, and the mock ends when its parent is
    killed.
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
