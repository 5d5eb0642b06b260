"""A worker's reaction to remote control: it answers questions, and refuses commands.

With Flower's login or the broker's password, a command could slow sending to one attempt a minute, cut attempts off, or
stop the worker. Use `winback pause` to pause sending, and the settings to change a worker.
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
"""The questions of Flower and `celery inspect`."""
HARMLESS: Final = frozenset({"enable_events", "heartbeat"})
"""Flower sends the first every few seconds, and the second whenever it connects. Events are always on here."""
HELLO: Final = "hello"
"""Other workers send it at their start, with the tasks that they revoked. It stays unanswered, and isn't a command."""
REFUSAL: Final = "refused: Winback's workers take no remote control; see winback pause and the worker settings"

_Handler = Callable[..., object]


def refuse_orders() -> None:
    """Refuse all commands except questions, which lose their parameters because those make answers large."""
    commands: dict[str, _Handler] = Panel.data
    for name, handler in list(commands.items()):
        commands[name] = _asked(handler) if name in QUESTIONS | HARMLESS else _refused
    commands[HELLO] = _unanswered


def _asked(handler: _Handler) -> _Handler:
    def ask(state: object, **_parameters: object) -> object:
        return handler(state)

    return ask


def _unanswered(_state: object, **_parameters: object) -> None:
    """Ignore it."""


def _refused(_state: object, **_parameters: object) -> dict[str, str]:
    refused.count(REMOTE_CONTROL)
    return {"error": REFUSAL}
