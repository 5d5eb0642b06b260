"""The glossary names the code's terms, and the code uses no retired word."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("detectors", "state", "storefronts", "tasks", "thresholds", "winback", "worker")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^- \*\*([^*]+)\*\*: ", GLOSSARY, re.MULTILINE)
RETIRED = tomllib.loads((Path(__file__).parent / "retired_words.toml").read_text(encoding="utf-8"))


def python_names(tree: ast.AST) -> Iterator[str]:
    """Yield every name that a module introduces. Names that it only uses can belong to libraries."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def lua_names(text: str) -> list[str]:
    code = re.sub(r"--[^\n]*|'[^'\n]*'", "", text)
    return re.findall(r"[A-Za-z_]\w*", code)


def words(name: str) -> list[str]:
    """Return the parts of an identifier, in lower case."""
    spaced = name if name.isupper() else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [word for word in spaced.lower().split("_") if word]


@cache
def identifiers() -> dict[tuple[str, ...], str]:
    """Return the words of every identifier of the product, with a file that has it."""
    found: dict[tuple[str, ...], str] = {}
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*"))):
        if path.suffix not in {".py", ".lua"}:
            continue
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        names = python_names(ast.parse(text)) if path.suffix == ".py" else lua_names(text)
        for one in (path.stem, *names):
            found.setdefault(tuple(words(one)), name)
    return found


def is_used(term: str) -> bool:
    """Return whether an identifier contains the term, in the singular or the plural."""
    wanted = "_".join(re.split(r"[ -]", term.lower()))
    return any(re.search(rf"(^|_){wanted}s?(_|$)", "_".join(found)) for found in identifiers())


@pytest.mark.parametrize("term", TERMS)
def test_every_term_is_an_identifier_of_the_product(term: str) -> None:
    """To fix: name the code by the term, or take the term off docs/glossary.md."""
    assert is_used(term)


def test_terms_are_explained_once_and_in_order() -> None:
    assert len(TERMS) > 40
    assert len(set(TERMS)) == len(TERMS)
    for section in GLOSSARY.split("\n## ")[1:]:
        terms = re.findall(r"^- \*\*([^*]+)\*\*: ", section, re.MULTILINE)
        assert terms == sorted(terms)


def test_no_identifier_uses_a_retired_word() -> None:
    """To fix: use the word next to it in tests/project/retired_words.toml."""
    found = {
        f"{path}: {'_'.join(name)}": RETIRED[word]
        for name, path in identifiers().items()
        for word in name
        if word in RETIRED
    }
    assert found == {}
