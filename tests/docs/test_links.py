"""Links in Markdown lead to existing files and headings, as GitHub shows them. The site: `make docs`."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.pages import PAGES, ROOT

PAGE = re.compile(r"\bdocs/[\w/-]+\.md\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.casefold()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for url in LINK.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)):
        path, _, fragment = url.partition("#")
        if "://" in url:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(url)
    assert broken == []


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r"^ +- ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.is_relative_to(ROOT / "docs")]
    assert sorted(listed) == sorted(pages)


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize(
    "package", ["bench", "detectors", "state", "storefronts", "tasks", "tests", "winback", "worker"]
)
def test_pages_that_the_code_names_exist(package: str) -> None:
    sources = [path for path in (ROOT / package).rglob("*") if path.suffix in {".py", ".lua", ".toml"}]
    named = {name for path in sources for name in PAGE.findall(path.read_text(encoding="utf-8"))}
    assert {name for name in named if not (ROOT / name).exists()} == set()


# Links to other hosts aren't followed by tests. A new host is added here, so that a review sees it.
HOSTS = {"docs.y.uno", "keepachangelog.com", "semver.org", "www.standardwebhooks.com", "zensical.org"}


def test_external_links_lead_to_listed_hosts() -> None:
    urls = {url for page in PAGES for url in re.findall(r"\]\((https?://[^)\s]+)\)", page.read_text(encoding="utf-8"))}
    assert {urlsplit(url).hostname for url in urls} == HOSTS
    assert [url for url in urls if not url.startswith("https://")] == []
