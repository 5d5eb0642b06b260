"""No text uses a phrase that `phrases.toml` bans."""

import io
import re
import subprocess
import tokenize
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PHRASES = "tests/project/phrases.toml"
KINDS = {".lua", ".md", ".py", ".toml", ".yaml", ".yml"}
LISTS = {PHRASES, "tests/project/retired_words.toml", "tests/project/test_phrases.py"}
"""These name the phrases."""
BANNED: dict[str, str] = tomllib.loads((ROOT / PHRASES).read_text(encoding="utf-8"))["phrases"]


def python_prose(text: str) -> str:
    """Return the comments and strings, one a line; comments on successive lines are one text."""
    parts = []
    last = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            follows = last is not None and token.start == (last[0] + 1, last[1])
            parts.append((" " if follows else "\n") + token.string.lstrip("# "))
            last = token.start
        elif token.type not in {tokenize.NAME, tokenize.OP, tokenize.NL, tokenize.NEWLINE, tokenize.NUMBER}:
            parts.append("\n" + re.sub(r"\n(?! *\n)\s*", " ", token.string.strip("\"'")))
    return "".join(parts)


def lua_prose(text: str) -> str:
    """Return the comments; those on successive lines are one text."""
    lines = [re.search(r"--\s*(.*)", line) for line in text.splitlines()]
    return re.sub(r"(?<=\S)\n(?=\S)", " ", "\n".join(line[1] if line else "" for line in lines))


def prose(name: str) -> str:
    """Return what a person reads of a file, without the breaks of its lines."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".py"):
        return python_prose(text)
    if name.endswith(".lua"):
        return lua_prose(text)
    return re.sub(r"(?<=\S)\n *(#+ )?(?=[a-z`])", " ", text)


def banned_in(text: str) -> list[str]:
    """Return the banned phrases of a text, each with what to write instead."""
    return [
        f"{match[0].strip()} -> {instead}"
        for pattern, instead in BANNED.items()
        for match in re.finditer(pattern, text, re.IGNORECASE | re.MULTILINE)
    ]


def test_no_text_uses_a_banned_phrase() -> None:
    """To fix: write the words after the arrow."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    read = [name for name in names if Path(name).suffix in KINDS and name not in LISTS and (ROOT / name).exists()]
    assert {name: phrases for name in read if (phrases := banned_in(prose(name)))} == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("comment", "x = 1  # once\n# whatever no\n# body: nobody\n"),
        ("wrapped comment", "# kept for\n# ever\n"),
        ("wrapped string", '"""Kept for\n    ever."""\n'),
        ("f-string", 'f"{1} is told"\n'),
    ],
)
def test_phrase_in_python_is_found(name: str, text: str) -> None:
    assert len(banned_in(python_prose(text))) == 1, name


@pytest.mark.parametrize("text", ["nobody = somebody(alone)\n", "# kept for\nx = ever\n", "# made up of parts\n"])
def test_identifiers_and_separate_texts_are_not_phrases(text: str) -> None:
    assert banned_in(python_prose(text)) == []


def test_phrase_in_lua_is_found_across_lines() -> None:
    assert len(banned_in(lua_prose("-- kept for\n-- ever\nlocal nobody = 1\n"))) == 1
