"""Start one of Celery's commands `worker`, `beat` and `flower` without the others.

Run it as `python -m worker.celery_support.lean_celery worker ...`.
The program `celery -A worker.app` does the same. It first loads all of its commands and their plugins, among them
Flower and an interactive shell, which then use some 12 MB of memory in every role.
"""

import os
import sys

import click
from celery.bin.base import CLIContext

from worker.logs import role_output


def _command(name: str) -> click.Command:
    if name == "beat":
        from celery.bin.beat import beat as found
    elif name == "flower":
        from flower.command import flower as found
    else:
        from celery.bin.worker import worker as found
    command: click.Command = found
    return command


def main() -> None:
    """Run the command of the command line; options can come from `CELERY_...` variables, as with Celery."""
    name = sys.argv[1] if len(sys.argv) > 1 else "worker"
    role_output.leave_out_rich()
    from worker.app import app

    context = CLIContext(app, "NO_COLOR" in os.environ, None, "CELERY_QUIET" in os.environ)
    group = click.Group("celery", commands={name: _command(name)})
    group.main(prog_name="celery", obj=context, auto_envvar_prefix="CELERY")


if __name__ == "__main__":
    main()
