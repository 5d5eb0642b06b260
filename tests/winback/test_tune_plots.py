"""The plots of `winback tune`, and files that are complete or not there."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.recordings import Ran, ordered, recorded, seen, winback

PNG = b"\x89PNG\r\n"


def plotted(path: Path, name: str, *options: str) -> Ran:
    lines = [seen(f"s{n}", n * 4) for n in range(300)] + [ordered(f"s{n}", n * 4 + 5) for n in range(0, 300, 3)]
    file = recorded(path / "events.jsonl", lines)
    return winback("tune", file, "--shadow", "--plot", str(path / name), *options)


def test_svg_and_png_are_written(tmp_path: Path) -> None:
    assert plotted(tmp_path, "all.svg", "--stage", "checkout").code == 0
    assert plotted(tmp_path, "all.png", "--stage", "checkout").code == 0
    assert ET.parse(tmp_path / "all.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own
    assert (tmp_path / "all.png").read_bytes().startswith(PNG)
    before = (tmp_path / "all.svg").read_bytes()
    plotted(tmp_path, "all.svg", "--stage", "checkout")
    assert (tmp_path / "all.svg").read_bytes() == before


def test_page_holds_every_stage_and_needs_no_other_host(tmp_path: Path) -> None:
    found = plotted(tmp_path, "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg") == 4
    assert all(f"<h2>{title}</h2>" in page for title in ("Product pages", "Cart", "Checkout", "Payment"))
    links = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert links == []
    assert "checkout = &quot;5m&quot;" in page
    assert 'checkout = "5m"' in found.out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("plot.pdf", "plot.pdf: must end with .svg, .png or .html"),
        ("none/plot.svg", "there is no directory"),
    ],
)
def test_impossible_plot_is_refused_before_reading(tmp_path: Path, name: str, says: str) -> None:
    found = plotted(tmp_path, name)
    assert (found.code, found.out) == (2, "")
    assert says in found.err


def test_missing_matplotlib_is_named_with_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winback.tuning.plots.find_spec", lambda _: None)
    found = plotted(tmp_path, "plot.svg")
    assert (found.code, found.out) == (2, "")
    assert found.err == "--plot: needs matplotlib: pip install 'winback[plots]'\n"


def test_interrupted_plot_leaves_no_partial_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    (tmp_path / "page.html").write_text("before")
    monkeypatch.setattr(Path, "replace", interrupt)
    assert plotted(tmp_path, "page.html").code == 130
    assert (tmp_path / "page.html").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.jsonl", "page.html"]
