"""The wheel holds every package and every data file of the source tree."""

import shutil
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
PACKAGES = {Path(name.replace(".", "/")) for name in SETUPTOOLS["packages"]}
PROGRAM = {package.parts[0] for package in PACKAGES}
"""The top folders of the installed program."""


def tracked() -> list[Path]:
    git = shutil.which("git") or "git"
    listed = subprocess.run([git, "ls-files", *sorted(PROGRAM)], cwd=ROOT, check=True, capture_output=True, text=True)
    return [Path(line) for line in listed.stdout.splitlines()]


def data_files() -> set[Path]:
    return {
        found.relative_to(ROOT)
        for name, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for found in (ROOT / name.replace(".", "/")).glob(pattern)
    }


def test_wheel_lists_every_package() -> None:
    modules = {path.parent for path in tracked() if path.suffix == ".py"}
    assert modules - PACKAGES == set()
    assert PACKAGES - modules == set()


def test_wheel_lists_every_data_file() -> None:
    data = {path for path in tracked() if path.suffix != ".py" and path.name != "README.md"}
    assert Path("worker/collector/browser/winback.js") in data
    assert data - data_files() == set()


def test_data_files_belong_to_packages_of_the_wheel() -> None:
    assert {Path(name.replace(".", "/")) for name in SETUPTOOLS["package-data"]} - PACKAGES == set()
