"""The project's Markdown pages and their code blocks."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")],
)
_BLOCK = re.compile(
    r"^(?P<indent> *)(?:<!-- test: (?P<mark>\w+) -->\n *)?```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A code block; `mark` is the word of `<!-- test: word -->` above it, which selects how it runs."""

    language: str
    mark: str
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found["language"], found["mark"] or "", dedent(found["text"]), line)


def marked(page: Path, mark: str) -> list[str]:
    return [block.text for block in blocks(page) if block.mark == mark]


def program(name: str) -> str:
    """Return the path of a program. If it is missing, the test is skipped, or fails in CI."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{name} isn't installed: CI has to check the blocks in this language (.ci/run)")
    if found is None:
        pytest.skip(f"{name} isn't installed: the blocks in this language aren't checked here")
    return found


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")} | variables
    return subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True, timeout=120)
