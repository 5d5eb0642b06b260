"""Settings for those who only look: a broken edit must not hide what it did from whoever is asked to mend it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from worker.errors import StartError
from worker.settings import Settings, load
from worker.settings.file import Tree
from worker.settings.keys import LEVEL, PREFIX, KeyPath, leaves, variable
from worker.settings.sources import read_layers

_LEFT_OUT = "detection"
_NO_FILE = Path(os.devnull)


class PartialSettings(NamedTuple):
    """The settings that can be used, and why the others can't."""

    settings: Settings
    problem: str | None
    """One line for each; None: there is none."""


def load_lenient(env: Mapping[str, str] | None = None) -> PartialSettings:
    """Return the settings that can be used.

    What cannot be used is left out as far as needed: `[detection]` and unknown keys, then the whole file.

    Raises:
        StartError: What is wrong is where the server is, or cannot be left out.
    """
    env = os.environ if env is None else env
    try:
        return PartialSettings(load(env), None)
    except StartError as broken:
        # A copy of the environment leaves the whole file out.
        for attempt in (_without_detection, dict[str, str]):
            try:
                settings = load(attempt(env), _NO_FILE)
            except StartError:
                continue
            if settings.redis_url is not None:
                return PartialSettings(settings, str(broken))
        raise


def _without_detection(env: Mapping[str, str]) -> dict[str, str]:
    """The values of the file as variables, where one could write them so, and the environment over them."""
    content = read_layers(Settings, env, None).from_file
    found = {path: _value(content, path) for path in leaves(Settings) if path[0] != _LEFT_OUT}
    variables = {variable(path): str(value) for path, value in found.items() if isinstance(value, str | int)}
    own = f"{PREFIX}{_LEFT_OUT}{LEVEL}".upper()
    return variables | {name: value for name, value in env.items() if value.strip() and not name.startswith(own)}


def _value(content: Tree, path: KeyPath) -> object:
    value: object = content
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
