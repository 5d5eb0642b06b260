"""A Celery process: its role, its settings, and its end if it can't start."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tasks.celery_tasks import RECOVER_QUEUE, SWEEP_QUEUE
from worker.errors import StartError, exit_code
from worker.logs import role_output
from worker.settings import Settings, load, require

_PROGRAMS = frozenset({"celery", "lean_celery.py"})
"""bin/celery, celery/__main__.py, and Winback's own module."""


def role_of(arguments: Sequence[str]) -> str:
    """Return the role that a command line starts: a worker's by its queue, however it is named; else `worker`."""
    for word in arguments:
        name = word.partition("@")[0]
        if name in {"sweep", "recover", "beat", "flower"}:
            return name
        for queue in (SWEEP_QUEUE, RECOVER_QUEUE):
            if queue in word.split(","):
                return queue.partition(".")[2]
    return "worker"


def is_celery_command(arguments: Sequence[str]) -> bool:
    """Return whether a command line is one of Celery's, and not another program that imports the application."""
    return not _PROGRAMS.isdisjoint(Path(arguments[0]).parts[-2:])


def settings_of_process() -> Settings:
    """Return the settings of this process, read once. A user's mistake ends the process with one line each."""
    try:
        settings = load()
        require(settings, "broker_url", "redis_url")
    except StartError as exc:
        refuse_to_start(exc, role_of(sys.argv))
    return settings


def refuse_to_start(problem: Exception, role: str) -> NoReturn:
    """End the process with one line per problem. Not with an exception, which Celery would log and ignore."""
    role_output.refuse(problem, role)
    raise SystemExit(exit_code(problem))
