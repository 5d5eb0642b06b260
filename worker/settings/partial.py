"""Settings for read-only commands: a broken edit must not hide its effects from the operator who fixes it."""

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
    """The usable settings, and the problems of the others."""

    settings: Settings
    problem: str | None
    """One line for each; None: there is none."""


def load_lenient(env: Mapping[str, str] | None = None) -> PartialSettings:
    """Return the usable settings.

    Unusable parts are left out as far as needed: `[detection]` and unknown keys, then the whole file.

    Raises:
        StartError: The problem concerns the server's address, or can't be left out.
    """
    env = os.environ if env is None else env
    try:
        return PartialSettings(load(env), None)
    except StartError as broken:
        # A copy of the environment without the file.
        for attempt in (_without_detection, dict[str, str]):
            try:
                settings = load(attempt(env), _NO_FILE)
            except StartError:
                continue
            if settings.redis_url is not None:
                return PartialSettings(settings, str(broken))
        raise


def _without_detection(env: Mapping[str, str]) -> dict[str, str]:
    """Return the file's values as variables, if they can be written so, with the environment over them."""
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
