"""Compare a tag with the files that name the version: `python .ci/release_check.py v1.2.3 [--notes FILE]`.

Exits with 1 and one line for each difference. `--notes` writes the version's part of CHANGELOG.md to a file.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = ("docker-compose.yml", "docs/guides/deploy-kubernetes.md")


def differences(tag: str, root: Path = ROOT) -> Iterator[str]:
    """Yield each file that doesn't name the version of the tag, and how."""
    version = tag.removeprefix("v")
    if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
        yield f"{tag}: a tag is v, then the version, like v1.2.3"
    found = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if found != version:
        yield f"pyproject.toml: version is {found}, the tag says {version}"
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", _changelog(root), re.MULTILINE):
        yield f"CHANGELOG.md: needs a heading '## [{version}] - ' with the date of the release"
    for name in IMAGES:
        others = set(re.findall(r"winback:(\d+\.\d+\.\d+)", (root / name).read_text(encoding="utf-8"))) - {version}
        if others:
            yield f"{name}: names the image {', '.join(sorted(others))}, the tag says {version}"


def notes(tag: str, root: Path = ROOT) -> str:
    """Return the part of the changelog about a version, without its heading."""
    version = re.escape(tag.removeprefix("v"))
    found = re.search(rf"^## \[{version}\][^\n]*\n(.*?)(?=^## |\Z)", _changelog(root), re.MULTILINE | re.DOTALL)
    return found[1].strip() + "\n" if found else ""


def _changelog(root: Path) -> str:
    return (root / "CHANGELOG.md").read_text(encoding="utf-8")


def main() -> int:
    """Print the differences; 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tag")
    parser.add_argument("--notes", type=Path)
    asked = parser.parse_args()
    problems = list(differences(asked.tag))
    for problem in problems:
        print(problem, file=sys.stderr)
    if asked.notes and not problems:
        asked.notes.write_text(notes(asked.tag), encoding="utf-8")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
