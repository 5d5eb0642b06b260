"""The charts of the performance page from the last run: `python -m bench.charts` writes them next to the page."""

from collections.abc import Iterator, Sequence
from html import escape
from math import log10
from pathlib import Path
from typing import NamedTuple

from bench.figures import Figure
from bench.page import kept
from bench.results import figures_of

FOLDER = Path(__file__).parents[1] / "docs" / "explanation"
WIDTH, ROW, TOP = 480, 44, 40
LEFT, RIGHT = 8, 92
RATIOS = {
    "ingest against redis-benchmark, the same two commands": "redis-benchmark, two commands, in C",
    "ingest against plain pipelined HSET+ZADD": "plain pipelined HSET and ZADD",
    "ingest against keyspace notifications": "keyspace notifications",
    "ingest against PostgreSQL upserts": "PostgreSQL upserts",
    "ingest against plain pipelined HSET+ZADD, fed from the same stream": "plain HSET and ZADD, fed from the stream",
    "ingest against PostgreSQL upserts, fed from the same stream": "PostgreSQL upserts, fed from the stream",
    "ingest against Bytewax session windows": "Bytewax session windows",
    "ingest against Celery countdown tasks": "Celery countdown tasks",
}
SIZES = {
    "event, server, 10,000 waiting (next to 100,000 waiting)": "10,000 waiting sessions",
    "event, server, 100,000 waiting": "100,000",
    "event, server, 1,000,000 waiting": "1,000,000",
    "event, server, 3,000,000 waiting": "3,000,000",
}
# Grey and blue are readable on white and on black pages.
_STYLE = (
    "text{font:14px sans-serif;fill:#7d8590}.bar{fill:#6f7cf0}.range{stroke:#7d8590;stroke-width:2}.one{stroke:#7d8590}"
)


class Bar(NamedTuple):
    """One row of a chart: its label, the median and the range."""

    label: str
    median: float
    least: float
    most: float


def charts() -> dict[str, str]:
    """Return the text of each chart by the name of its file."""
    figures = {figure.name: figure for figure in figures_of(kept())}
    return {
        "ingest-ratios.svg": _chart(
            "Events a second: Winback's ingest divided by the alternative", _bars(RATIOS, figures), logarithmic=True
        ),
        "event-cost.svg": _chart("Server time of an event, in microseconds", _bars(SIZES, figures), logarithmic=False),
    }


def _bars(names: dict[str, str], figures: dict[str, Figure]) -> list[Bar]:
    found = [(label, figures[name].rounds, figures[name].median) for name, label in names.items()]
    return [Bar(label, median, min(rounds), max(rounds)) for label, rounds, median in found]


def _chart(title: str, bars: Sequence[Bar], *, logarithmic: bool) -> str:
    height = TOP + ROW * len(bars) + 8
    description = "; ".join(f"{bar.label}: {_number(bar.median)}" for bar in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc><style>{_STYLE}</style>",
        f'<text x="{LEFT}" y="20" font-weight="bold">{escape(title)}</text>',
        *_rows(bars, logarithmic=logarithmic),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _rows(bars: Sequence[Bar], *, logarithmic: bool) -> Iterator[str]:
    lowest, highest = (0.1, 100.0) if logarithmic else (0.0, max(bar.most for bar in bars))

    def x(value: float) -> float:
        share = log10(value / lowest) / log10(highest / lowest) if logarithmic else value / highest
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    for at, bar in enumerate(bars):
        y = TOP + ROW * at
        start, end = (min(x(1), x(bar.median)), max(x(1), x(bar.median))) if logarithmic else (LEFT, x(bar.median))
        yield f'<text x="{LEFT}" y="{y + 12}">{escape(bar.label)}</text>'
        if logarithmic:
            yield f'<line class="one" x1="{x(1)}" y1="{y + 15}" x2="{x(1)}" y2="{y + 35}"/>'
        yield f'<rect class="bar" x="{start}" y="{y + 18}" width="{round(end - start, 1)}" height="14" rx="2"/>'
        yield f'<line class="range" x1="{x(bar.least)}" y1="{y + 25}" x2="{x(bar.most)}" y2="{y + 25}"/>'
        yield f'<text x="{WIDTH - RIGHT + 8}" y="{y + 30}">{_number(bar.median)}</text>'


def _number(value: float) -> str:
    return f"{value:.3g}"


def write() -> None:
    """Write all charts."""
    for name, text in charts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
