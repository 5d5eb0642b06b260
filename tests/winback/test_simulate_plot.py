"""The plot and the screen of `winback simulate`."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.recordings import Ran, recorded, seen, winback
from winback.cli.simulate_screen import folded

PNG = b"\x89PNG\r\n"
CHECKOUT = "detection.idle.checkout"


def plotted(path: Path, name: str, *options: str) -> Ran:
    lines = [seen(f"s{n}", n * 4) for n in range(100)] + [seen(f"s{n}", n * 4 + 15) for n in range(0, 100, 3)]
    file = recorded(path / "events.jsonl", lines)
    return winback("simulate", file, "--plot", str(path / name), *options)


def test_plot_shows_each_candidate(tmp_path: Path) -> None:
    assert plotted(tmp_path, "all.png", "--grid", f"{CHECKOUT}=5m,10m").code == 0
    assert (tmp_path / "all.png").read_bytes().startswith(PNG)
    assert plotted(tmp_path, "all.svg", "--grid", f"{CHECKOUT}=5m,10m").code == 0
    drawn = (tmp_path / "all.svg").read_text()
    assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - our own
    assert [f"<!-- {CHECKOUT}={wait} -->" in drawn for wait in ("5m", "10m", "15m")] == [True, True, False]


def test_plot_without_contacts_says_so(tmp_path: Path) -> None:
    assert plotted(tmp_path, "none.svg", "--horizon", "90d").code == 0
    assert "<!-- no contact to judge -->" in (tmp_path / "none.svg").read_text()


def test_comparison_shows_both_candidates_by_stage(tmp_path: Path) -> None:
    found = plotted(tmp_path, "all.svg", "--set", f"{CHECKOUT}=5m", "--compare", str(tmp_path / "both.svg"))
    assert (found.code, found.err) == (0, "")
    drawn = (tmp_path / "both.svg").read_text()
    assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - our own
    words = ("in force", f"{CHECKOUT}=5m", "Checkout", "of 100 people contacted,", "of 100 who left")
    assert [word for word in words if f"<!-- {word} -->" not in drawn] == []


@pytest.mark.parametrize("options", [[], ["--grid", f"{CHECKOUT}=5m,10m"]])
def test_comparison_of_other_than_two_names_the_fix(tmp_path: Path, options: list[str]) -> None:
    found = plotted(tmp_path, "all.svg", "--compare", str(tmp_path / "both.svg"), *options)
    assert found.code == 2
    assert "name it with one --set" in found.err
    assert not (tmp_path / "both.svg").exists()


@pytest.mark.parametrize("name", ["plot.html", "plot.pdf"])
def test_plot_of_another_form_is_refused(tmp_path: Path, name: str) -> None:
    found = plotted(tmp_path, name)
    assert (found.code, found.out) == (2, "")
    assert found.err.endswith(f"{name}: must end with .svg or .png\n")


def test_settings_are_folded_after_dots_and_commas() -> None:
    assert folded(f"{CHECKOUT}=5m,contact.cap=72h", 20) == "detection.idle.\ncheckout=5m,contact.\ncap=72h"
    assert folded("in force", 20) == "in force"
    assert folded("contact.ramp=12.5", 3) == "contact.\nramp=12.\n5"
