"""Where the value of each setting comes from."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from detectors.json_values import JsonValue
from worker.settings import Settings
from worker.settings.keys import KeyPath, free_sections, leaves
from worker.settings.sources import read_layers


def sources(settings: Settings, env: Mapping[str, str] | None = None, config: Path | None = None) -> dict[str, str]:
    """Return the source of every key's value: `default`, the file, the environment variable, or `redis_url`.

    Args:
        settings: The result of `load` for the same `env` and `config`.
        env: As for `load`.
        config: As for `load`.

    Raises:
        StartError: The file can't be read.
    """
    layers = read_layers(Settings, env, config)
    paths = list(leaves(Settings))
    for section_path, free in free_sections(Settings):
        paths += [(*section_path, *path) for path in _written(settings, section_path, free.section)]
    origins = {".".join(path): layers.origin(path) or "default" for path in paths}
    if layers.config_variable:
        origins["config"] = layers.config_variable
    if settings.broker_url and origins["broker_url"] == "default":
        origins["broker_url"] = "redis_url"
    return origins


def _written(settings: Settings, section_path: KeyPath, section: type[BaseModel]) -> Iterator[KeyPath]:
    """Yield each key that was set in a section with free keys, from that section on."""
    value: JsonValue = settings
    for name in section_path:
        value = getattr(value, name)
    yield from (
        (key, *path) for key, below in value.items() for path in leaves(section) if path[0] in below.model_fields_set
    )
