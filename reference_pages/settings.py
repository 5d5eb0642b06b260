"""The page of the settings, from `winback.toml`: its comments describe each setting."""

import re
import tomllib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from worker.settings.keys import variable

FILE = Path(__file__).parents[1] / "winback.toml"
_SECTION = re.compile(r"(?P<off># )?\[(?P<name>[a-z_.A-Z]+)\]$")
_KEY = re.compile(r"(?P<off># )?(?P<name>[a-z_]+) = (?P<value>.+)$")
_FREE = {
    "ios": "<platform>",
    "payment": "<stage>",
    "CO": "<country>",
    "segment": "<source>",
    "tomorrow": "<arm>",
}
"""The last part of a section that is an example → what it stands for."""
_TABLES = {"min_value", "whatsapp_below", "shopify", "woocommerce"}
"""Settings whose value is a table."""


def settings() -> str:
    """Return a heading for each section of `winback.toml`, and an entry for each setting."""
    return "\n".join(_sections(FILE.read_text(encoding="utf-8"))).strip()


def _sections(text: str) -> Iterator[str]:
    section = ""
    yield from ("## General", "")
    for block in re.split(r"\n\s*\n", text)[1:]:
        lines = block.strip().splitlines()
        headings = [(at, found) for at, line in enumerate(lines) if (found := _SECTION.match(line))]
        if not headings:
            yield from _entry(section, lines)
            continue
        at, heading = headings[0]
        if heading["off"]:
            yield from _example(heading["name"], lines[:at], lines[at:])
            continue
        section = heading["name"]
        yield from (f"## `[{section}]`", "", *_text([*lines[:at], *_comment(lines[at + 1 :])]), "")
        yield from _entry(section, lines[at + 1 + len(_comment(lines[at + 1 :])) :])


def _comment(lines: list[str]) -> list[str]:
    return list(takewhile(lambda line: line.startswith("#") and not _KEY.match(line), lines))


def _entry(section: str, lines: list[str]) -> Iterator[str]:
    """Yield the settings of a block, which have their description in common."""
    comment = _comment(lines)
    keys = [found for line in lines[len(comment) :] if (found := _KEY.match(line))]
    paths = [f"{section}.{key['name']}" if section else key["name"] for key in keys]
    if comment and keys:
        yield from (f"### {', '.join(f'`{path}`' for path in paths)}", "")
    for path, key in zip(paths, keys, strict=True):
        if not comment:
            yield from (f"### `{path}`", "")
        default = "Not set by default" if key["off"] else f"Default: `{key['value']}`"
        example = f", for example `{key['value']}`" if key["off"] and "better as" not in key["value"] else ""
        name = f"`{path}`: " if comment and len(keys) > 1 else ""
        yield from (f"{name}{default}{example}.", f"Environment variable: `{variable(tuple(path.split('.')))}`.", "")
    if comment:
        yield from (*_text(comment), "")


def _example(name: str, comment: list[str], lines: list[str]) -> Iterator[str]:
    """Yield a section that is only an example, such as that of one country."""
    *above, last = name.split(".")
    yield from (f"### `[{'.'.join(above)}.{_FREE[last]}]`", "", *_text(comment), "")
    yield from ("```toml", *(line.removeprefix("# ") for line in lines), "```", "")


def _text(lines: list[str]) -> list[str]:
    """Return comment lines as text, with a line for each sentence."""
    text = " ".join(line.lstrip("#").strip() for line in lines)
    text = re.sub(r"(?<![`\w])<|<(?=[a-z])", "\\<", text)
    return re.sub(r"(?<=[a-z0-9\)\"`])([.]) (?=[A-Z\"`])", lambda end: f"{end[1]}\n", text).splitlines()


def names() -> set[str]:
    """Return every setting that `winback.toml` names, whether it sets it or not."""
    text = re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", FILE.read_text(encoding="utf-8"))
    return set(_names(tomllib.loads(text)))


def _names(tree: dict[str, object], above: str = "") -> Iterator[str]:
    for name, value in tree.items():
        path = f"{above}{name}"
        if isinstance(value, dict) and name not in _TABLES:
            yield from _names(value, f"{path}.")
        else:
            yield path
