"""Reads a settings file: TOML of bounded size and depth."""

import errno
import os
import re
import stat
import tomllib
from pathlib import Path

from detectors.json_values import JsonObject
from worker.errors import StartError
from worker.logs.masking import one_line

Tree = JsonObject

_LARGEST = 2**20
"""Bytes. A settings file has a few thousand."""
_DEEPEST = 32
_TOO_DEEP = "is nested too deeply to be a settings file"
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_file(file: Path, *, required: bool) -> Tree:
    """Return the content of a settings file; a missing one is empty unless it is required.

    Raises:
        StartError: It is required and missing, can't be read, or isn't TOML (with line and column).
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
    """Return the text of a file of bounded size. Reading something else, such as a pipe, could block indefinitely.

    Raises:
        OSError: It can't be read, or isn't a settings file.
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
    """Return the number of levels of a tree, without recursion, because it can have any number."""
    level: list[object] = [tree]
    deep = 0
    while level and deep <= _DEEPEST:
        deep += 1
        below = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [value for values in below for value in values]
    return deep


def _end(text: str) -> tuple[int, int]:
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1
