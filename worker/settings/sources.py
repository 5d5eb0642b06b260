"""Where settings come from: the environment over the file over the defaults."""

import errno
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_settings import BaseSettings, EnvSettingsSource

from detectors.json_values import JsonObject
from tasks.policy.setting_fields import Names
from worker.errors import StartError
from worker.logs.masking import one_line

KeyPath = tuple[str, ...]
Tree = JsonObject

PREFIX = "WINBACK_"
LEVEL = "__"
DEFAULT_FILE = Path("winback.toml")
_LARGEST = 2**20
"""Bytes. A settings file has a few thousand."""
_DEEPEST = 32
_TOO_DEEP = "is nested too deeply to be a settings file"
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True)
class Layers:
    """What was written by somebody, before it is checked.

    Attributes:
        file: The settings file that counts, whether it is there or not.
        from_file: Its content; empty when there is no file.
        from_env: Values of the environment, nested like the file.
        variables: The environment variable that each such value came from.
    """

    file: Path
    from_file: Tree = field(repr=False)
    from_env: Tree = field(repr=False)
    variables: Mapping[KeyPath, str]

    def merged(self) -> Tree:
        """The values of both, the environment's over the file's."""
        return _merge(self.from_file, self.from_env)

    def origin(self, path: KeyPath) -> str | None:
        """The environment variable or the file that a value came from; None: it is a default."""
        if path in self.variables:
            return self.variables[path]
        return str(self.file) if _holds(self.from_file, path) else None


def read_layers(
    model: type[BaseSettings], env: Mapping[str, str] | None, file: Path | None, *, required: bool = True
) -> Layers:
    """Read the file and the environment, without checking their values or names.

    Args:
        model: The settings whose keys the environment variables name.
        env: The environment; None: the process's.
        file: The settings file; None: `WINBACK_CONFIG`, else `winback.toml` in the working directory, if it is there.
        required: Whether a file that was named must be there.

    Raises:
        StartError: The file was named and is not there, cannot be read, or is not TOML.
    """
    env = os.environ if env is None else env
    named = env.get(f"{PREFIX}CONFIG", "").strip()
    required, file = required and bool(file or named), file or Path(named or DEFAULT_FILE)
    # An empty variable is an unset one: that is how compose files and shells hand on what nobody gave.
    given = {name: text for name, value in env.items() if (text := value.strip())}
    variables = {path: name for path in leaves(model) if (name := variable(path)) in given and path != ("config",)}
    source = EnvSettingsSource(model)
    source.env_vars = {name.lower(): given[name] for name in variables.values()}
    from_file, from_env = read_file(file, required=required), source()
    for place, section in free_sections(model):
        from_file = _named(from_file, place, section.read)
        for path, name in section.variables(place, given):
            variables[path] = name
            _put(from_env, path, given[name])
    return Layers(file, from_file, from_env, variables)


def read_file(file: Path, *, required: bool) -> Tree:
    """Read a settings file; one that is not there is empty unless it is required.

    Raises:
        StartError: It is required and not there, cannot be read, or is not TOML (with line and column).
    """
    name = one_line(str(file))
    try:
        text = _read_text(file)
    except FileNotFoundError:
        if required:
            raise StartError(f"{name}: no such file: write it, or name another in WINBACK_CONFIG") from None
        return {}
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise StartError(f"{name}: cannot be read as a settings file: {reason}") from None
    try:
        content = tomllib.loads(text)
    except ValueError as problem:
        found = _POSITION.search(str(problem))
        line, column = (found[1], found[2]) if found and found[1] else _end(text)
        raise StartError(f"{name}:{line}:{column}: not TOML: {_POSITION.sub('', str(problem))}") from None
    except RecursionError:
        raise StartError(f"{name}: {_TOO_DEEP}") from None
    if _depth(content) > _DEEPEST:
        raise StartError(f"{name}: {_TOO_DEEP}")
    return content


def _read_text(file: Path) -> str:
    """Read a file of bounded size; what isn't a file, such as a pipe, could be waited for indefinitely.

    Raises:
        OSError: It can't be read, or is no settings file.
        UnicodeDecodeError: It isn't UTF-8.
    """
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:  # noqa: PTH123 - a descriptor
        if stat.S_ISFIFO(os.fstat(opened.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe")
        content = opened.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {_LARGEST // 2**20} MB")
    return content.decode("utf-8-sig")


def _depth(tree: Tree) -> int:
    """Return how many levels a tree has, without a call for each: it can have any number."""
    level: list[object] = [tree]
    deep = 0
    while level and deep <= _DEEPEST:
        deep += 1
        below = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [value for values in below for value in values]
    return deep


def leaves(model: type[BaseModel]) -> Iterator[KeyPath]:
    """Every key of a model that holds a value, in the order of its fields; `idle_by_platform` for each platform.

    Those of sections with free keys are not among them.
    """
    for name, info in model.model_fields.items():
        sections = list(_sections(info.annotation))
        for branch, section in sections:
            yield from ((name, *branch, *path) for path in leaves(section))
        if not sections and _free(info.annotation) is None:
            yield (name,)


@dataclass(frozen=True)
class FreeSection:
    """A section whose keys are free, such as one for each country.

    Attributes:
        section: The model of what is below each key.
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
    """Every section of a model whose keys are free, with where it stands."""
    for name, info in model.model_fields.items():
        path = (*place, name)
        for branch, section in _sections(info.annotation):
            yield from free_sections(section, (*path, *branch))
        free = _free(info.annotation)
        if free is not None:
            yield path, free


def variable(path: KeyPath) -> str:
    """The environment variable of a key: `WINBACK_DELIVERY__MODE`."""
    return PREFIX + LEVEL.join(path).upper()


def _sections(annotation: object) -> Iterator[tuple[KeyPath, type[BaseModel]]]:
    """The sub-models of a field: one, or one for each key of a dict whose keys are listed."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield (), annotation
    elif get_origin(annotation) is dict:
        keys, section = get_args(annotation)
        if get_origin(keys) is Literal:
            yield from (((key,), section) for key in get_args(keys))


def _named(tree: Tree, place: KeyPath, read: Callable[[str], str | None]) -> Tree:
    """Return a tree in which the keys of a free section are written as they are read; two of one meaning stay."""
    name, *rest = place
    below = tree.get(name)
    if not isinstance(below, dict):
        return tree
    if rest:
        return tree | {name: _named(below, tuple(rest), read)}
    meant = [read(key) or key for key in below]
    keys = (key if meant.count(each) > 1 else each for key, each in zip(below, meant, strict=True))
    return tree | {name: dict(zip(keys, below.values(), strict=True))}


def _put(tree: Tree, path: KeyPath, value: object) -> None:
    *sections, name = path
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[name] = value


def _free(annotation: object) -> FreeSection | None:
    """Return what a field says of a section with free keys; None when it is none."""
    if get_origin(annotation) is not dict:
        return None
    keys, section = get_args(annotation)
    names = [each for each in get_args(keys) if isinstance(each, Names)]
    return FreeSection(section, names[0].read) if get_origin(keys) is Annotated and names else None


def _merge(below: Tree, above: Tree) -> Tree:
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and key in merged:
            # What the file has in place of a section stays, to be refused: it must not hide behind a variable.
            merged[key] = _merge(merged[key], value) if isinstance(merged[key], dict) else merged[key]
        else:
            merged[key] = value
    return merged


def _holds(tree: object, path: KeyPath) -> bool:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return False
        tree = tree[key]
    return True


def _end(text: str) -> tuple[int, int]:
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1
