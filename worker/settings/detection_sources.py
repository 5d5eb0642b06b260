"""The source of each setting of detection, and the environment variables that override the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from worker.errors import StartError
from worker.logs.masking import one_line
from worker.settings import Settings
from worker.settings.file import Tree
from worker.settings.keys import KeyPath, leaves
from worker.settings.sources import read_layers

_SECTION = "detection"


class Override(NamedTuple):
    """An environment variable that gives a setting another value than the file."""

    setting: str
    variable: str
    value: str
    in_file: str


class DetectionSources(NamedTuple):
    """Where the settings of detection come from."""

    origins: Mapping[str, str]
    """Whole name of a setting → environment variable or file; one with its default is left out."""
    overrides: tuple[Override, ...]


def detection_sources(file: Path, env: Mapping[str, str] | None = None) -> DetectionSources:
    """Return the sources of the settings of detection; empty when the file can't be read."""
    try:
        layers = read_layers(Settings, env, file, required=False)
    except StartError:
        return DetectionSources({}, ())
    paths = [path for path in leaves(Settings) if path[0] == _SECTION]
    origins = {".".join(path): one_line(origin) for path in paths if (origin := layers.origin(path))}
    pairs = ((path, _value(layers.from_env, path), _value(layers.from_file, path)) for path in paths)
    overrides = tuple(
        Override(".".join(path), layers.variables[path], one_line(own), one_line(in_file))
        for path, own, in_file in pairs
        if own is not None and in_file is not None and own != in_file
    )
    return DetectionSources(origins, overrides)


def _value(tree: Tree, path: KeyPath) -> str | None:
    value: object = tree
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return None if value is None else str(value).strip()
