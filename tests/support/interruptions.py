"""Where an attempt may be interrupted and by what, and the parts that say when it comes to such a point."""

from collections.abc import Callable
from typing import Any

INTERRUPTIONS = (
    "crash",
    "crash",
    "lease_passes",
    "lease_passes",
    "comes_back",
    "pays",
    "opts_out",
    "other_worker",
    "settings_change",
)
# Where an attempt may be interrupted, each before or after it is done; most often where the most can go wrong.
POINTS = tuple(
    (name, when)
    for name in ("take", "facts", "fence", "fence", "reserve", "reserve", "post", "post", "release", "settle")
    for when in ("before", "after")
)
Tell = Callable[[str, str, object], None]
Interruption = tuple[tuple[str, str], str]


class Crash(BaseException):
    """The process is gone; nothing of it runs any more."""


class Hooked:
    """A part of the state that tells of each call before it begins and after it is done."""

    def __init__(self, part: object, tell: Tell) -> None:
        self._part, self._tell = part, tell

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the part has
        found = getattr(self._part, name)
        if not callable(found):
            return found

        def call(*args: object, **named: object) -> object:
            self._tell(name, "before", None)
            done = found(*args, **named)
            self._tell(name, "after", done)
            return done

        return call
