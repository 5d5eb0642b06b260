"""The settings of the guide on experiments can be loaded as they are."""

from pathlib import Path

from tests.support.pages import ROOT, marked
from worker.settings import load

GUIDE = ROOT / "docs" / "guides" / "run-an-experiment.md"


def test_experiments_of_the_guide_can_be_loaded(tmp_path: Path) -> None:
    names = []
    for number, text in enumerate(marked(GUIDE, "experiment")):
        file = tmp_path / f"{number}.toml"
        file.write_text(text, encoding="utf-8")
        names.append(load({}, file).experiment.names)
    assert names == [("at_once", "tomorrow", "holdout"), ("call", "message", "holdout")]
