"""A read-only Flower.

Otherwise, its login could apply tasks, revoke them, set rate and time limits, and shut workers down.
"""

from collections.abc import Sequence
from typing import Final

from flower import urls
from flower.views import BaseHandler
from flower.views.error import NotFoundErrorHandler
from flower.views.tasks import TasksDataTable
from tornado.web import HTTPError

from tasks.kombu_types import TornadoHandler

READ_ONLY: Final = "Flower is read-only here: use winback pause, and the worker settings"
_HARMLESS: Final = (TasksDataTable, NotFoundErrorHandler)
"""Handlers that read the request of a POST."""
_CHANGING: Final = ("post", "put", "patch", "delete")


class ReadOnlyHandler(BaseHandler):  # type: ignore[misc]
    """Answers 403 to every request that would change something."""

    def prepare(self) -> None:
        """Refuse before reading the request, but require the login first (401)."""
        if not self.current_user:
            raise HTTPError(401)
        self.set_status(403)
        self.set_header("Content-Type", "text/plain")
        self.finish(READ_ONLY)


def make_read_only() -> None:
    """Refuse every request that would change something. Call it before Flower's application is made."""
    urls.handlers[:] = [_read_only(handler) for handler in urls.handlers]


def changes(handler: type[object]) -> bool:
    """Return whether one of Flower's handlers takes requests that change something."""
    base = BaseHandler.__mro__[1]  # tornado's, which has every method and implements none
    own = (name for name in _CHANGING if getattr(handler, name) is not getattr(base, name))
    return not issubclass(handler, _HARMLESS) and any(own)


def _read_only(handler: TornadoHandler) -> TornadoHandler:
    if isinstance(handler, Sequence):
        pattern, kind, *more = handler
        return (pattern, ReadOnlyHandler) if changes(kind) else (pattern, kind, *more)
    if changes(handler.handler_class):
        handler.handler_class = ReadOnlyHandler
    return handler
