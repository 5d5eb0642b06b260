"""A tag is released only if the files that name the version agree with it."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = (
    ".ci/release_check.py",
    "CHANGELOG.md",
    "pyproject.toml",
    "docker-compose.yml",
    "docs/guides/deploy-kubernetes.md",
)
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files that name the version, with a changelog as for a release."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    heading = f"## [{VERSION}] - 2026-12-01\n\n### Added\n\n- A thing.\n\n## [0.0.1] - 2026-01-01\n\n- Older.\n"
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}", encoding="utf-8")
    return tmp_path


def check(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/release_check.py", *arguments]
    return subprocess.run(command, cwd=project, check=False, capture_output=True, text=True, timeout=60)


def test_matching_tag_passes_and_its_notes_are_written(project: Path) -> None:
    checked = check(project, f"v{VERSION}", "--notes", "notes.md")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert (project / "notes.md").read_text(encoding="utf-8") == "### Added\n\n- A thing.\n"


@pytest.mark.parametrize("tag", ["v9.9.9", VERSION, "v1"])
def test_other_tag_is_refused(project: Path, tag: str) -> None:
    checked = check(project, tag, "--notes", "notes.md")
    assert checked.returncode == 1
    assert not (project / "notes.md").exists()


@pytest.mark.parametrize("file", FILES[2:])
def test_file_with_another_version_is_named(project: Path, file: str) -> None:
    path = project / file
    path.write_text(
        re.sub(rf"(winback:|^version = \"){re.escape(VERSION)}", r"\g<1>9.9.9", path.read_text(), flags=re.MULTILINE)
    )
    assert check(project, f"v{VERSION}").stderr.startswith(f"{file}: ")


def test_unreleased_changelog_is_refused(project: Path) -> None:
    (project / "CHANGELOG.md").write_text(f"## [{VERSION}] - Unreleased\n", encoding="utf-8")
    assert check(project, f"v{VERSION}").stderr.startswith("CHANGELOG.md: ")
