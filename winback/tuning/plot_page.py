"""One offline HTML page with the result of every stage."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from thresholds.study import Row
from winback.operations.whole_file import write_whole
from winback.tuning import plots
from winback.tuning.tuning import Tuned
from winback.tuning.wording import about, back_test, row_warnings, sentences, title, toml
from worker.errors import StartError

FORMS = ("svg", "png", "html")
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>How long to wait?</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 1rem 0; padding: .5rem; background: #fff; border-radius: .5rem; }
svg { display: block; width: 100%; height: auto; }
pre { padding: 1rem; overflow-x: auto; border: 1px solid; border-radius: .5rem; }
.warning { border-left: .25rem solid #c98a00; padding-left: .75rem; }
@media print { section { break-inside: avoid; } }
</style>
</head>
<body>
<h1>How long to wait?</h1>
"""


def require_form(name: str, forms: Sequence[str] = FORMS, option: str = "--plot") -> str:
    """Return the form of a plot, one of `forms`, by the name of its file, which `option` names.

    Raises:
        StartError: It has another ending, its directory doesn't exist, or matplotlib is missing.
    """
    path = Path(name)
    form = path.suffix.lower().removeprefix(".")
    if form not in forms:
        *others, last = (f".{each}" for each in forms)
        raise StartError(f"{option} {name}: must end with {', '.join(others)} or {last}")
    if not path.parent.is_dir():
        raise StartError(f"{option} {name}: there is no directory {path.parent}")
    if not plots.is_available():
        raise StartError(f"{option}: {plots.MISSING}")
    return form


def write_plot(name: str, form: str, found: Tuned) -> None:
    """Write the plot of every row, or nothing if that is interrupted.

    Raises:
        StartError: The file can't be written.
    """
    rows = [row for row in found.rows if row.platform is None or row.choice.point is not None]
    content = _page(found, rows) if form == "html" else plots.drawn(found, rows, form)
    write_whole("--plot", Path(name), content)


def _page(found: Tuned, rows: Sequence[Row]) -> bytes:
    parts = [_HEAD, *(f'<p class="warning">{escape(text)}</p>\n' for text in found.warnings)]
    if found.recording.totals.events:
        parts.append(f"<p>{escape(about(found))}</p>\n")
    parts += (_section(found, row) for row in rows)
    if settings := toml(found):
        parts.append(f"<h2>Settings to paste</h2>\n<pre>{escape(settings)}</pre>\n")
    return "".join([*parts, "</body>\n</html>\n"]).encode()


def _section(found: Tuned, row: Row) -> str:
    picture = plots.drawn(found, [row], "svg").decode()
    picture = picture[picture.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(title(row))}"', 1)
    texts = [sentences(row, found), back_test(row, found), *row_warnings(row)]
    said = "".join(f"<p>{escape(text)}</p>\n" for text in texts if text)
    return f"<section>\n<h2>{escape(title(row))}</h2>\n{said}<figure>\n{picture}</figure>\n</section>\n"
