"""How `make` handles unusable Pythons. The Pythons are scripts that record their arguments."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = "#!/bin/sh\necho False\n"
# Like `python -m venv .venv`, it copies itself there; everything else is only recorded.
NEW = """#!/bin/sh
case "$*" in
  -c*) echo True; exit ;;
  "-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
echo "$@" >> told
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory in which `make setup` only calls its Python."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    script(tmp_path / "old", OLD)
    script(tmp_path / "new", NEW)
    return tmp_path


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def make(project: Path, python: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "setup", f"PYTHON={python}"]
    # As on a separate terminal: a make that runs these tests passes its options to the makes below it.
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    return subprocess.run(command, cwd=project, env=env, check=False, capture_output=True, text=True, timeout=60)


def told(project: Path) -> list[str]:
    """Return the calls of the new Python, by their first three words."""
    lines = (project / "told").read_text().splitlines()
    (project / "told").write_text("")
    return [" ".join(line.split()[:3]) for line in lines]


@pytest.mark.parametrize("python", ["./old", "./nowhere"])
def test_old_or_missing_python_is_one_line_and_changes_nothing(project: Path, python: str) -> None:
    done = make(project, python)

    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert f"{python} is not Python 3.11 or newer: install it, or name one: make setup PYTHON=python3.12" in line
    assert not (project / ".venv").exists()


def test_an_environment_is_made_once(project: Path) -> None:
    assert make(project, "./new").returncode == 0
    assert told(project) == ["-m venv .venv", "-m pip install"]
    assert make(project, "./new").returncode == 0
    assert told(project) == []


@pytest.mark.parametrize("wrong", [OLD, None])
def test_environment_with_old_or_missing_python_is_recreated(project: Path, wrong: str | None) -> None:
    if wrong:
        script(project / ".venv" / "bin" / "python", wrong)
    leftover = project / ".venv" / "lib"
    leftover.mkdir(parents=True)
    (project / ".venv" / ".ready").touch()

    assert make(project, "./new").returncode == 0

    assert told(project) == ["-m venv .venv", "-m pip install"]
    assert not leftover.exists()


def test_valid_environment_needs_no_other_python(project: Path) -> None:
    assert make(project, "./new").returncode == 0
    told(project)
    (project / ".venv" / ".ready").unlink()

    assert make(project, "./old").returncode == 0
    assert told(project) == ["-m pip install"]


def test_install_prints_progress_and_pip_errors_end_it(project: Path) -> None:
    script(project / "pip", "#!/bin/sh\nfor n in $(seq 25); do echo Collecting p$n; done\nexit 3\n")
    script(project / "new", NEW.replace("case", '[ "$2" = pip ] && exec ./pip\ncase', 1))

    done = make(project, "./new")

    assert (done.returncode, done.stderr.count("Error 3")) == (2, 1)
    assert done.stdout.splitlines()[-2:] == ["  10 packages found", "  20 packages found"]
    assert not (project / ".venv" / ".ready").exists()
