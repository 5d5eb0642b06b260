"""Code blocks of the pages are valid in any language: parsed, or checked by the program that runs them."""

import ast
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.pages import PAGES, ROOT, Block, blocks, program, run
from winback.cli.commands import COMMANDS

PARSERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "python": ast.parse,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}
NOT_CODE = {"html", "ini", "mermaid", "text"}
ALL = [(page.relative_to(ROOT).as_posix(), block) for page in PAGES for block in blocks(page)]


def each(*languages: str) -> pytest.MarkDecorator:
    found = [pytest.param(block, id=f"{page}:{block.line}") for page, block in ALL if block.language in languages]
    return pytest.mark.parametrize("block", found)


def test_every_language_is_checked() -> None:
    assert {block.language for _, block in ALL} <= {*PARSERS, *NOT_CODE, "bash", "sh", "js", "php"}


@each(*PARSERS)
def test_block_can_be_parsed(block: Block) -> None:
    PARSERS[block.language](block.text)


@each("sh", "bash")
def test_shell_block_has_valid_syntax(block: Block, tmp_path: Path) -> None:
    script = tmp_path / "block.sh"
    script.write_text(block.text, encoding="utf-8")
    checked = run(program("bash"), "-n", script, cwd=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")


@each("php")
def test_php_block_has_valid_syntax(block: Block, tmp_path: Path) -> None:
    script = tmp_path / "block.php"
    script.write_text(block.text, encoding="utf-8")
    checked = run(program("php"), "-l", script, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_on_a_page_exist(page: Path) -> None:
    code = [*(line for block in blocks(page) for line in block.text.splitlines())]
    code += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))
    named = [words[1] for words in map(str.split, code) if words[:1] == ["winback"] and words[1:2]]
    assert {name for name in named if re.fullmatch(r"[a-z][a-z-]*", name)} <= set(COMMANDS)
