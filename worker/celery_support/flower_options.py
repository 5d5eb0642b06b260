"""The options of Flower, made from the settings.

By default Flower listens on every interface without a login, lets every visitor apply tasks and shut workers down, and
keeps every task in memory.
"""

import ast
import secrets
import socket
import sys

from tasks.kombu_types import KombuObject
from worker.celery_support.process import refuse_to_start
from worker.celery_support.read_only_flower import make_read_only
from worker.errors import StartError
from worker.logs import role_output, setup
from worker.settings.sections import FlowerSettings


def flower_options(settings: FlowerSettings) -> dict[str, object]:
    """Return the options, and make Flower read-only. If the address is in use, end the process with one line."""
    try:
        _require_free(settings.address, settings.port)
    except StartError as exc:
        refuse_to_start(exc, "flower")
    make_read_only()
    return {
        "address": settings.address,
        "port": settings.port,
        "basic_auth": [_login(settings)],
        "max_tasks": settings.max_tasks,
        # The useful data are the argument and the result: an opaque id, and the outcome of the attempt.
        "tasks_columns": "name,args,result,state,received,runtime,worker",
        "format_task": format_task,
        "persistent": False,
        **_logging(),
    }


def _require_free(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as exc:
            raise StartError(
                f"flower.port: cannot listen on {address}:{port} ({exc.strerror}); set WINBACK_FLOWER__PORT"
            ) from None


def _login(settings: FlowerSettings) -> str:
    if settings.basic_auth is not None:
        return settings.basic_auth.get_secret_value()
    credentials = f"winback:{secrets.token_urlsafe(12)}"
    text = f"flower.basic_auth is not set; for this run it is {credentials}"
    # The only place that shows it: the log would mask it.
    print(role_output.line("login_made_up", "flower", text=text) if role_output.is_json() else text, file=sys.stderr)  # noqa: T201
    return credentials


def _logging() -> dict[str, object]:
    if not role_output.is_json():
        return {}
    # Tornado would set up its own format.
    setup.configure("flower")
    return {"logging": "none"}


def format_task(task: KombuObject) -> KombuObject:
    """Shorten the page's columns to the outcome of the attempt and its number."""
    try:
        result = ast.literal_eval(task.result or "")
        task.result = f"{result['outcome']} (attempt {result['attempt']})" if result["attempt"] else result["outcome"]
    except (ValueError, SyntaxError, TypeError, KeyError):
        return task
    return task
