"""Flower's settings, found by `celery -A worker.app flower` in the working directory.

Left to itself Flower listens on every interface, is open to everybody, lets every visitor apply tasks and shut workers
down, and keeps every task in memory.
"""

import ast
import secrets
import socket
import sys
from typing import Any

from worker.celery_support.read_only_flower import make_read_only
from worker.errors import StartError
from worker.logs import role_output, setup
from worker.settings import load

try:
    _flower = load().flower
except StartError as exc:
    role_output.refuse(exc, "flower")
    raise SystemExit(2) from None

with socket.socket(socket.AF_INET6 if ":" in _flower.address else socket.AF_INET) as _probe:
    _probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        _probe.bind((_flower.address, _flower.port))
    except OSError as exc:
        _problem = (
            f"flower.port: cannot listen on {_flower.address}:{_flower.port} ({exc.strerror}); set WINBACK_FLOWER__PORT"
        )
        role_output.refuse(_problem, "flower")
        raise SystemExit(2) from None

if _flower.basic_auth is None:
    _credentials = f"winback:{secrets.token_urlsafe(12)}"
    _text = f"flower.basic_auth is not set; for this run it is {_credentials}"
    # Its only hint: the log would mask it.
    print(role_output.line("login_made_up", "flower", text=_text) if role_output.is_json() else _text, file=sys.stderr)  # noqa: T201
else:
    _credentials = _flower.basic_auth.get_secret_value()

if role_output.is_json():
    # Tornado would set up a format of its own.
    setup.configure("flower")
    logging = "none"
make_read_only()
address = _flower.address
port = _flower.port
basic_auth = [_credentials]
max_tasks = _flower.max_tasks
# The argument and the result are what there is to see: an opaque id, and what came of the attempt.
tasks_columns = "name,args,result,state,received,runtime,worker"


def format_task(task: Any) -> Any:  # noqa: ANN401 - Flower's own record of a task
    """Make the page's columns short: what came of the attempt, then its number."""
    try:
        result = ast.literal_eval(task.result or "")
        task.result = f"{result['outcome']} (attempt {result['attempt']})" if result["attempt"] else result["outcome"]
    except (ValueError, SyntaxError, TypeError, KeyError):
        return task
    return task


persistent = False
