"""Reads the report's page: its tables, its texts and its elements."""

import json
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "rect", "line", "circle", "polygon", "polyline"}
Number = float | None


class Page(HTMLParser):
    """A parsed page. It fails on an element that isn't closed, or closed in another order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[Number]]] = {}
        """The numbers of each row, by the table's caption."""
        self.headings: list[str] = []
        self.texts: list[str] = []
        self._caption = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr" and "tbody" in self.open:
            self.tables[self._caption].append([])
        if tag == "data":
            value: Any = json.loads(dict(attrs)["value"] or "")
            assert isinstance(value, int | float)
            if "tbody" in self.open:
                self.tables[self._caption][-1].append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        match self.open[-1:]:
            case ["caption"]:
                self._caption = data
                assert data not in self.tables
                self.tables[data] = []
            case ["h2"]:
                self.headings.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)
