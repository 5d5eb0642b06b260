"""The keys of the settings, from their model, and the environment variables of these keys."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel

from tasks.policy.setting_fields import Names

KeyPath = tuple[str, ...]

PREFIX = "WINBACK_"
LEVEL = "__"


def leaves(model: type[BaseModel]) -> Iterator[KeyPath]:
    """Yield every key of a model that holds a value, in the order of its fields; `idle_by_platform` for each platform.

    Keys of sections with free keys aren't included.
    """
    for name, info in model.model_fields.items():
        sections = list(_sections(info.annotation))
        for branch, section in sections:
            yield from ((name, *branch, *path) for path in leaves(section))
        if not sections and _free(info.annotation) is None:
            yield (name,)


@dataclass(frozen=True)
class FreeSection:
    """A section with free keys, such as one for each country.

    Attributes:
        section: The model of the values below each key.
        read: Returns the key that a text means; None: it means none.
    """

    section: type[BaseModel]
    read: Callable[[str], str | None]

    def variables(self, place: KeyPath, names: Iterable[str]) -> Iterator[tuple[KeyPath, str]]:
        """Yield the environment variables that are settings of this section, each with its path."""
        below = {LEVEL.join(path).upper(): path for path in leaves(self.section)}
        start = variable(place) + LEVEL
        for name in sorted(names):
            key, level, rest = name.removeprefix(start).partition(LEVEL)
            if name.startswith(start) and level and rest in below:
                yield (*place, self.read(key) or key, *below[rest]), name


def free_sections(model: type[BaseModel], place: KeyPath = ()) -> Iterator[tuple[KeyPath, FreeSection]]:
    """Yield every section of a model with free keys, with its path."""
    for name, info in model.model_fields.items():
        path = (*place, name)
        for branch, section in _sections(info.annotation):
            yield from free_sections(section, (*path, *branch))
        free = _free(info.annotation)
        if free is not None:
            yield path, free


def variable(path: KeyPath) -> str:
    """Return the environment variable of a key: `WINBACK_DELIVERY__MODE`."""
    return PREFIX + LEVEL.join(path).upper()


def _sections(annotation: object) -> Iterator[tuple[KeyPath, type[BaseModel]]]:
    """Yield the sub-models of a field: one, or one for each key of a dict with listed keys."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield (), annotation
    elif get_origin(annotation) is dict:
        keys, section = get_args(annotation)
        if get_origin(keys) is Literal:
            yield from (((key,), section) for key in get_args(keys))


def _free(annotation: object) -> FreeSection | None:
    """Return a field's section with free keys; None if it has none."""
    if get_origin(annotation) is not dict:
        return None
    keys, section = get_args(annotation)
    names = [each for each in get_args(keys) if isinstance(each, Names)]
    return FreeSection(section, names[0].read) if get_origin(keys) is Annotated and names else None
