"""Where settings come from: the environment over the file over the defaults."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic_settings import BaseSettings, EnvSettingsSource

from worker.settings.file import Tree, read_file
from worker.settings.keys import PREFIX, KeyPath, free_sections, leaves, variable

DEFAULT_FILE = Path("winback.toml")


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
    for section_path, section in free_sections(model):
        from_file = _named(from_file, section_path, section.read)
        for path, name in section.variables(section_path, given):
            variables[path] = name
            _put(from_env, path, given[name])
    return Layers(file, from_file, from_env, variables)


def _named(tree: Tree, section_path: KeyPath, read: Callable[[str], str | None]) -> Tree:
    """Return a tree in which the keys of a free section are written as they are read; two of one meaning stay."""
    name, *rest = section_path
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
