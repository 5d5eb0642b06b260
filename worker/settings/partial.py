"""Settings for read-only commands: a broken edit must not hide its effects from the operator who fixes it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from worker.errors import StartError
from worker.settings import Settings, load
from worker.settings.file import Tree
from worker.settings.keys import LEVEL, PREFIX, KeyPath, leaves, variable
from worker.settings.sources import read_layers

_LEFT_OUT = "detection"
_NO_FILE = Path(os.devnull)
_KEPT = {f"{PREFIX}REDIS_URL", f"{PREFIX}NAMESPACE", f"{PREFIX}CONFIG"}


class PartialSettings(NamedTuple):
    """The usable settings, and the problems of the others."""

    settings: Settings
    problem: str | None
    """One line for each; None: there is none."""


def load_lenient(env: Mapping[str, str] | None = None, *, drop_variables: bool = False) -> PartialSettings:
    """Return the usable settings.

    Unusable parts are left out as far as needed: invalid variables, `[detection]` and unknown
    keys, then the whole file.

    Args:
        env: The environment; None: the process's.
        drop_variables: Whether invalid variables can be left out, except those that name the server and the namespace.

    Raises:
        StartError: The problem concerns the server's address, or can't be left out.
    """
    env = os.environ if env is None else env
    try:
        return PartialSettings(load(env), None)
    except StartError as broken:
        found = next(_attempts(env, str(broken), drop_variables=drop_variables), None)
        if found is not None:
            return PartialSettings(found, str(broken))
        raise


def _attempts(env: Mapping[str, str], problem: str, *, drop_variables: bool) -> Iterator[Settings]:
    """Yield settings that load without the parts of a problem, those with the most parts first."""
    wrong = {line.partition(":")[0] for line in problem.splitlines()} - _KEPT
    sound = {name: value for name, value in env.items() if name not in wrong} if drop_variables else env
    for attempt, file in ((dict[str, str], None), (_without_detection, _NO_FILE), (dict[str, str], _NO_FILE)):
        with suppress(StartError):
            # A copy of the environment, with or without the file.
            settings = load(attempt(sound), file)
            if settings.redis_url is not None:
                yield settings


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
