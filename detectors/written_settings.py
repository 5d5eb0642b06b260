"""The settings of detection as text, by their names, so that two versions can be stored and compared."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from detectors.durations import format_duration
from detectors.json_values import JsonObject
from detectors.settings import DetectionSettings

SECTION = "detection"
OFF = "off"
UNSET = "unset"
"""Shown for a platform's threshold that only one of two versions has."""


class SettingChange(NamedTuple):
    """A setting that two versions give different values."""

    setting: str
    """Its whole name, such as `detection.idle.checkout`."""
    old: str
    new: str


def written(settings: DetectionSettings) -> dict[str, str]:
    """Return every setting in force by its whole name, each as `winback.toml` writes it."""
    return dict(_leaves(settings, SECTION))


def read_written(values: Mapping[str, str]) -> DetectionSettings | None:
    """Return the settings that `written` described; None when this version can't read them."""
    tree: JsonObject = {}
    for name, value in values.items():
        section, *above, last = name.split(".")
        if section != SECTION:
            return None
        branch = tree
        for part in above:
            branch = branch.setdefault(part, {})
        branch[last] = value
    try:
        return DetectionSettings.model_validate(tree)
    except ValidationError:
        return None


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[SettingChange]:
    """Return the settings that differ, in the order of the new version."""
    names = dict.fromkeys([*new, *old])
    pairs = ((name, old.get(name, UNSET), new.get(name, UNSET)) for name in names)
    return [SettingChange(*pair) for pair in pairs if pair[1] != pair[2]]


def _leaves(section: BaseModel, name: str) -> Iterator[tuple[str, str]]:
    for key, value in section:
        path = f"{name}.{key}"
        if isinstance(value, BaseModel):
            yield from _leaves(value, path)
        elif isinstance(value, dict):
            # A platform's threshold that isn't set is that of all platforms.
            below = (leaf for own, each in value.items() for leaf in _leaves(each, f"{path}.{own}"))
            yield from ((leaf, text) for leaf, text in below if text != OFF)
        else:
            yield path, _text(value)


def _text(value: object) -> str:
    if value is None:
        return OFF
    return format_duration(value) if isinstance(value, timedelta) else str(value)
