"""What a worker does when it is told to by remote control: it answers questions, and follows no orders.

With Flower's login, or the broker's password, an order could slow sending to one attempt a minute, cut attempts off, or
stop the worker. `winback pause` is the way to hold sending back, and every change of a worker is one of its settings.
"""

from collections.abc import Callable
from typing import Final

from celery.worker.control import Panel

from worker.celery_support.refusal_counter import refused
from worker.monitoring.checks.messages import REMOTE_CONTROL

QUESTIONS: Final = frozenset(
    {
        "ping",
        "stats",
        "active_queues",
        "registered",
        "scheduled",
        "active",
        "reserved",
        "revoked",
        "conf",
        "dump_tasks",
        "dump_schedule",
        "dump_active",
        "dump_reserved",
        "dump_revoked",
    }
)
"""What Flower and `celery inspect` ask."""
HARMLESS: Final = frozenset({"enable_events", "heartbeat"})
"""Flower sends the first every few seconds, and the second whenever it connects. Events are on here in any case."""
HELLO: Final = "hello"
"""Other workers send it when they start, with the tasks that they revoked: it stays unanswered, and is no order."""
REFUSAL: Final = "refused: Winback's workers take no remote control; see winback pause and the worker settings"

_Handler = Callable[..., object]


def refuse_orders() -> None:
    """Refuse all commands but the questions, which lose their parameters: those make answers large."""
    commands: dict[str, _Handler] = Panel.data
    for name, handler in list(commands.items()):
        commands[name] = _asked(handler) if name in QUESTIONS | HARMLESS else _refused
    commands[HELLO] = _unanswered


def _asked(handler: _Handler) -> _Handler:
    def ask(state: object, **_parameters: object) -> object:
        return handler(state)

    return ask


def _unanswered(_state: object, **_parameters: object) -> None:
    """Take no notice."""


def _refused(_state: object, **_parameters: object) -> dict[str, str]:
    refused.count(REMOTE_CONTROL)
    return {"error": REFUSAL}
