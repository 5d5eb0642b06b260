"""GitHub's workflows: the supported Pythons, actions at fixed versions, and no unneeded rights."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


@each_workflow
def test_actions_are_pinned_to_a_version(path: Path) -> None:
    used = [step["uses"] for job in load(path)["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", action)] == []


@each_workflow
def test_workflows_can_only_read_by_default(path: Path) -> None:
    assert load(path)["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 90 for job in load(path)["jobs"].values())


def test_ci_runs_on_every_python_from_the_oldest_supported() -> None:
    pythons = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["run"]["strategy"]["matrix"]["python"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={pythons[0]}"' in project
    assert set(re.findall(r"Python :: (3\.\d+)", project)) <= set(pythons)


def test_pre_commit_runs_tools_of_the_environment() -> None:
    [repository] = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in repository["hooks"])
