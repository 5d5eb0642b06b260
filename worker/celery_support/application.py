"""The Celery application, made from the settings.

Its messages are hints; the outbox in Redis holds the work. So nothing here retries, delays or keeps results.
"""

import logging
import sys
from collections.abc import Callable

from celery import Celery, signals

from tasks.kombu_types import KombuObject
from worker.celery_support import amqp_transport, redis_transport, startup_output
from worker.celery_support.ack_failures import Task
from worker.celery_support.configuration import configuration
from worker.celery_support.lifecycle import Lifecycle
from worker.celery_support.process import is_celery_command, role_of
from worker.celery_support.remote_control import refuse_orders
from worker.logs import setup, uncaught
from worker.settings import Settings

_CHATTY = ("celery.beat", "celery.worker.strategy", "celery.app.trace")
"""Loggers with two lines per sweep and attempt that add nothing to Winback's own line; errors are still logged."""


class Application(Celery):  # type: ignore[misc]
    """Celery's application, with the settings that it is made from."""

    def __init__(self, settings: Settings, role: str) -> None:
        """Prepare; nothing is connected.

        Args:
            settings: Of this process, read once.
            role: `sweep`, `recover`, `beat`, `flower` or `worker`.
        """
        super().__init__("winback", task_cls=Task)
        self.settings = settings
        self.role = role
        self.lifecycle = Lifecycle(settings, role)
        """The steps of a worker from its start to its end."""
        self.conf.update(configuration(settings, role))

    def set_up_logging(self, **_kwargs: object) -> None:
        """Log as all roles do. Called by Celery."""
        setup.configure(self.role)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


def create_app(settings: Settings, role: str | None = None) -> Application:
    """Return the application of this process, and prepare the process for it. Call it once in a process.

    Args:
        settings: Of this process. The application passes them on, so that nothing else reads them.
        role: `sweep`, `recover`, `beat`, `flower` or `worker`; None: from the command line.
    """
    app = Application(settings, role_of(sys.argv) if role is None else role)
    _adapt_celery(app.role)
    _connect(app)
    app.finalize()
    return app


def _adapt_celery(role: str) -> None:
    """Replace parts of Celery and kombu that have no setting."""
    if is_celery_command(sys.argv):
        startup_output.replace(role)
        uncaught.report(role)
    redis_transport.install()
    amqp_transport.install()
    refuse_orders()


def _connect(app: Application) -> None:
    """Let Celery call the application at the steps of a process."""
    receivers: dict[KombuObject, Callable[..., object]] = {
        # Celery sets up logging only after its warning about the user and after Winback's first lines.
        signals.celeryd_init: app.set_up_logging,
        signals.setup_logging: app.set_up_logging,
        signals.worker_init: app.lifecycle.join,
        signals.worker_process_init: app.lifecycle.prepare_child,
        signals.worker_ready: app.lifecycle.watch,
        signals.heartbeat_sent: app.lifecycle.send_heartbeat,
        signals.worker_shutdown: app.lifecycle.withdraw,
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver)
