"""The sources of settings: the environment over the file over the defaults."""

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
    """The written settings before they are checked.

    Attributes:
        file: The path of the settings file, whether it exists or not.
        from_file: Its content; empty if there is no file.
        from_env: Values of the environment, nested like the file.
        variables: The environment variable of each such value.
        config_variable: The environment variable that named the file; empty if none did.
    """

    file: Path
    from_file: Tree = field(repr=False)
    from_env: Tree = field(repr=False)
    variables: Mapping[KeyPath, str]
    config_variable: str = ""

    def merged(self) -> Tree:
        """Return the values of both, the environment's over the file's."""
        return _merge(self.from_file, self.from_env)

    def origin(self, path: KeyPath) -> str | None:
        """Return the environment variable or the file of a value; None: it is a default."""
        if path in self.variables:
            return self.variables[path]
        return str(self.file) if _holds(self.from_file, path) else None


def read_layers(
    model: type[BaseSettings], env: Mapping[str, str] | None, file: Path | None, *, required: bool = True
) -> Layers:
    """Return the file and the environment, without checking their values or names.

    Args:
        model: The settings whose keys the environment variables name.
        env: The environment; None: the process's.
        file: The settings file; None: `WINBACK_CONFIG`, else `winback.toml` in the working directory, if it exists.
        required: Whether a named file must exist.

    Raises:
        StartError: The file was named and is missing, can't be read, or isn't TOML.
    """
    env = os.environ if env is None else env
    named = env.get(f"{PREFIX}CONFIG", "").strip()
    config_variable = f"{PREFIX}CONFIG" if named and file is None else ""
    required, file = required and bool(file or named), file or Path(named or DEFAULT_FILE)
    # An empty variable counts as unset, because compose files and shells pass unset variables on as empty ones.
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
    return Layers(file, from_file, from_env, variables, config_variable)


def _named(tree: Tree, section_path: KeyPath, read: Callable[[str], str | None]) -> Tree:
    """Return a tree with the normalised keys of a free section; two keys with one meaning stay."""
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
            # A value in the file in place of a section stays, to be refused: a variable must not hide it.
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
