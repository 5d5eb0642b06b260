"""The pages that cog fills show what the code and the kept figures say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "[[[cog" in page.read_text(encoding="utf-8")]


def cog(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cogapp", "--check", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)


def test_filled_pages_do_not_drift() -> None:
    assert {page.stem for page in PAGES} >= {"performance-figures", "reliability", "sizing"}
    checked = cog(*PAGES)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_decision_is_listed_with_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(folder.glob("0*.md"))
    assert len(records) >= 10
    for number, record in enumerate(records, start=1):
        title = record.read_text(encoding="utf-8").splitlines()[0].removeprefix(f"# {number}. ")
        assert record.name.startswith(f"{number:04}-")
        assert f"| {number} | [{title}]({record.name}) |" in index


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_edit_in_a_filled_block_is_noticed(page: Path, tmp_path: Path) -> None:
    edited = tmp_path / page.name
    edited.write_text(
        page.read_text(encoding="utf-8").replace("\n<!-- [[[end]]]", " and more\n<!-- [[[end]]]"), "utf-8"
    )
    assert cog(edited).returncode == 5
